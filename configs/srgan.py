"""SRGAN with the paper's recipe, in two stages. SRResNet for squared error: Adam 1e-4, 1,000,000
updates. Then against a discriminator: squared error of VGG19's relu5_4 features, divided by 12.75,
plus 0.001 of -log D; Adam 1e-4 for 100,000 updates and 1e-5 for 100,000. HR patches of 96 pixels,
batches of 16 in both.

    python train.py --config=configs/srgan.py --workdir=runs/srgan_x4 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

The first stage is a run of its own in runs/srgan_x4/psnr. To start from weights instead:
--config.pretrain.steps=0 --config.init_from=runs/srresnet_x4 (or a file).

Variants: x2, x4 (default; the paper's), x8; small (both stages in minutes on two cores; squared
error of pixels and of VGG16's relu2_2, not the paper's loss); tiny. The paper trains on 350,000
images of ImageNet, and its VGG19 has Caffe's weights, whose features the 12.75 is meant for
(docs/perceptual.md). Ours are that the discriminator learns before the generator in a step, flips
and rotations, and the average of the weights (ema), which is what is scored. Published PSNR-Y on
Set5 at x4: 29.40 dB.
"""

from dataclasses import replace

from jaxsr.training.config import (
    AdversarialConfig,
    DataConfig,
    DiscriminatorConfig,
    OptimizerConfig,
    PretrainConfig,
    TrainConfig,
    choose,
)


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="srgan",
        scale=scale,
        protocol="rgb",
        pretrain=PretrainConfig(steps=1_000_000, loss="mse", optimizer=OptimizerConfig()),
        loss={"vgg19_caffe_relu5_4_mse": 12.75**-2},
        steps=200_000,
        data=DataConfig(patch=96, batch=16),
        optimizer=OptimizerConfig(schedule="step", milestones=(100_000,), decay_factor=0.1),
        adversarial=AdversarialConfig(
            discriminators={"image": DiscriminatorConfig("srgan", weight=1e-3)},
            loss="vanilla",
            optimizer=OptimizerConfig(schedule="step", milestones=(100_000,), decay_factor=0.1),
            order="discriminator",
        ),
        metrics=("psnr", "ssim", "lpips", "niqe"),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 4, 8)}
    base = variants["x4"]
    short = replace(base.adversarial, optimizer=OptimizerConfig())
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        pretrain=replace(base.pretrain, steps=10),
        loss={"vgg_random_relu2_2_mse": 0.01},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=OptimizerConfig(),
        adversarial=replace(
            short,
            discriminators={
                "image": DiscriminatorConfig("srgan", {"features": 4, "dense": 16}, weight=1e-3)
            },
        ),
        metrics=("psnr", "ssim"),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    # So few updates need a layer near the pixels, and the pixels themselves to hold the colours.
    small = replace(
        base,
        model_args={"blocks": 4, "features": 16},
        pretrain=PretrainConfig(
            steps=2500,
            loss="mse",
            optimizer=OptimizerConfig(learning_rate=1e-3, schedule="cosine", warmup=50),
        ),
        loss={"mse": 5.0, "vgg16_relu2_2_mse": 12.75**-2},
        steps=200,
        data=replace(base.data, patch=64, batch=8),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        adversarial=replace(
            short,
            discriminators={
                "image": DiscriminatorConfig("srgan", {"features": 16, "dense": 64}, weight=5e-3)
            },
        ),
        ema=0.99,
        metrics=("psnr", "ssim", "lpips"),
        log_every=50,
        validate_every=2500,
        checkpoint_every=500,
    )
    return choose(variant, {"": base, **variants, "small": small, "tiny": tiny})
