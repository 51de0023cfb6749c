"""ESRGAN in two stages. RRDBNet for PSNR: L1, HR patches of 192 pixels, Adam 2e-4 halved every
200,000 of 1,000,000 updates. Then against a relativistic average discriminator: L1 of VGG19's
conv5_4 features before their ReLU, plus 0.01 of L1, plus 0.005 adversarial; HR patches of 128,
Adam 1e-4 halved at 50,000, 100,000, 200,000 and 300,000 of 400,000 updates. Batches of 16.

    python train.py --config=configs/esrgan.py --workdir=runs/esrgan_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K,OST --config.data.validation=Set5

The first stage is a run of its own in runs/esrgan_x4/psnr. To start from weights instead:
--config.pretrain.steps=0 --config.init_from=RRDB_PSNR_x4.pth. Afterwards `jaxsr interpolate
runs/esrgan_x4/psnr runs/esrgan_x4 --alpha 0.8 -o mixed.safetensors` is the paper's compromise.

Variants: x2 (Real-ESRGAN's network), x3, x4 (default; the paper's); psnr (the first stage alone);
small (both stages in minutes on two cores; L1 of pixels and of VGG16's conv2_2, not the paper's
loss); tiny. As in the authors' code the discriminator is not SRGAN's, as the paper has it, both
players learn at once, and the average of the weights (ema) is what is scored. At x3 the patches of
the second stage are 126 pixels. Large patches matter in the first stage: 192 instead of 96 are
worth 0.1 dB. Published PSNR-Y on Set5 at x4 after it: 32.73 dB, with DIV2K alone 32.60; LPIPS of
the whole: 0.0748.
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
from jaxsr.training.stages import first_stage

_FALLING = OptimizerConfig(schedule="step", milestones=(50_000, 100_000, 200_000, 300_000))


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="esrgan",
        scale=scale,
        protocol="rgb",
        pretrain=PretrainConfig(
            steps=1_000_000,
            loss="l1",
            patch=192,
            optimizer=OptimizerConfig(learning_rate=2e-4, schedule="step", decay_every=200_000),
        ),
        loss={"l1": 1e-2, "vgg19_conv5_4": 1.0},
        steps=400_000,
        data=DataConfig(patch=126 if scale == 3 else 128, batch=16),
        optimizer=_FALLING,
        adversarial=AdversarialConfig(
            discriminators={"image": DiscriminatorConfig("vgg_style", weight=5e-3)},
            loss="relativistic",
            optimizer=_FALLING,
        ),
        metrics=("psnr", "ssim", "lpips", "niqe"),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 1, "features": 8, "growth": 4},
        pretrain=replace(base.pretrain, steps=10, patch=48),
        loss={"l1": 1e-2, "vgg_random_conv2_2": 1.0},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        adversarial=replace(
            base.adversarial,
            discriminators={
                "image": DiscriminatorConfig("vgg_style", {"features": 4, "dense": 16}, weight=5e-3)
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
        model_args={"blocks": 2, "features": 16, "growth": 8},
        pretrain=PretrainConfig(
            steps=1500,
            loss="l1",
            optimizer=OptimizerConfig(learning_rate=1e-3, schedule="cosine", warmup=50),
        ),
        loss={"l1": 1.0, "vgg16_conv2_2": 0.05},
        steps=300,
        data=replace(base.data, patch=64, batch=8),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        adversarial=replace(
            base.adversarial,
            discriminators={
                "image": DiscriminatorConfig(
                    "vgg_style", {"features": 16, "dense": 32}, weight=5e-3
                )
            },
            optimizer=OptimizerConfig(learning_rate=1e-4),
        ),
        ema=0.99,
        metrics=("psnr", "ssim", "lpips"),
        log_every=50,
        validate_every=1500,
        checkpoint_every=500,
    )
    psnr = first_stage(base)
    assert psnr is not None
    return choose(variant, {"": base, **variants, "psnr": psnr, "small": small, "tiny": tiny})
