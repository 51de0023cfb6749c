"""SRFeat's first stage: squared error on HR patches of 296 pixels, batches of 9, Adam 1e-4 for 20
epochs of 100,000 patches, a tenth of it from the 17th on.

    python train.py --config=configs/srfeat.py --workdir=runs/srfeat \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x4 (default; the only scale); tiny. Published PSNR-Y on Set5 after this stage: 32.27 dB,
with ImageNet's images; the authors' code has DIV2K's.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def get_config(variant: str = "") -> TrainConfig:
    epoch = 100_000 // 9
    recipe = TrainConfig(
        model="srfeat",
        scale=4,
        protocol="rgb",
        loss="mse",
        steps=20 * epoch,
        data=DataConfig(patch=296, batch=9),
        optimizer=OptimizerConfig(
            learning_rate=1e-4, schedule="step", milestones=(17 * epoch,), decay_factor=0.1
        ),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )
    tiny = replace(
        recipe,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(recipe.data, patch=32, batch=4),
        optimizer=replace(recipe.optimizer, milestones=(8,)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": recipe, "x4": recipe, "tiny": tiny})
