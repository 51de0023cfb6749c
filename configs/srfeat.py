"""SRFeat in two stages. Squared error: Adam 1e-4 for 20 epochs, a tenth after 17 of them. Then
against two discriminators, of images and of VGG19's relu5_4 features: squared error of these
features, divided by 12.75, plus 0.001 of each adversarial loss; batch norms as in inference; Adam
1e-4, a tenth after every second of 5 epochs. HR patches of 296 pixels, batches of 9, epochs of
100,000 patches.

    python train.py --config=configs/srfeat.py --workdir=runs/srfeat \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

The first stage is a run of its own in runs/srfeat/psnr. To start from weights instead:
--config.pretrain.steps=0 --config.init_from=runs/other (or a file).

Variants: x4 (default; the only scale); psnr (the first stage alone); tiny. The paper trains the
first stage on ImageNet; the authors' code, whose numbers these are, on DIV2K (where its loop makes
a 21st epoch of the first stage). As there, the discriminators' own losses are multiplied by 0.001,
too, they learn before the generator in each step, and the second stage's Adam has an epsilon of
1e-10. VGG19 has Caffe's weights (docs/perceptual.md); SR is not clipped before it, as it is there.
Ours are flips and rotations, and the average of the weights (ema), which is what is scored.
The discriminator of images has 194 million parameters at 296 pixels. Published PSNR-Y on Set5 after
the first stage: 32.27 dB.
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

_EPOCH = 100_000 // 9


def get_config(variant: str = "") -> TrainConfig:
    falling = OptimizerConfig(
        learning_rate=1e-4, schedule="step", decay_every=2 * _EPOCH, decay_factor=0.1, eps=1e-10
    )
    recipe = TrainConfig(
        model="srfeat",
        scale=4,
        protocol="rgb",
        pretrain=PretrainConfig(
            steps=20 * _EPOCH,
            loss="mse",
            optimizer=OptimizerConfig(
                learning_rate=1e-4, schedule="step", milestones=(17 * _EPOCH,), decay_factor=0.1
            ),
        ),
        loss={"vgg19_caffe_relu5_4_mse": 12.75**-2},
        steps=5 * _EPOCH,
        data=DataConfig(patch=296, batch=9),
        optimizer=falling,
        adversarial=AdversarialConfig(
            discriminators={
                "image": DiscriminatorConfig("srfeat_image", weight=1e-3),
                "feature": DiscriminatorConfig(
                    "srfeat_feature", on="vgg19_caffe_relu5_4", weight=1e-3
                ),
            },
            loss="vanilla",
            loss_weight=1e-3,
            optimizer=falling,
            order="discriminator",
            freeze_batch_norm=True,
        ),
        metrics=("psnr", "ssim", "lpips", "niqe"),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )
    small = {"features": 4, "dense": 16}
    tiny = replace(
        recipe,
        model_args={"blocks": 2, "features": 8},
        pretrain=PretrainConfig(10, "mse", optimizer=OptimizerConfig(learning_rate=1e-3)),
        loss={"vgg_random_relu2_2_mse": 0.01},
        steps=10,
        data=replace(recipe.data, patch=32, batch=4),
        adversarial=replace(
            recipe.adversarial,
            discriminators={
                "image": DiscriminatorConfig("srfeat_image", small, weight=1e-3),
                "feature": DiscriminatorConfig(
                    "srfeat_feature", small, on="vgg_random_relu2_2", weight=1e-3
                ),
            },
        ),
        metrics=("psnr", "ssim"),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    psnr = first_stage(recipe)
    assert psnr is not None
    return choose(variant, {"": recipe, "x4": recipe, "psnr": psnr, "tiny": tiny})
