"""EnhanceNet's variant E: squared error, HR patches of 128 pixels, Adam 1e-4.

    python train.py --config=configs/enhancenet.py --workdir=runs/enhancenet \
        --config.data.train=COCO --config.data.validation=Set5

Variants: x4 (default; the only scale); tiny. The paper trains on the images of MS-COCO whose
shorter side has more than 384 pixels, which the authors reduce by Pillow's Lanczos kernel, here by
MATLAB's bicubic; the batch and the number of updates are ours. Published PSNR-Y on Set5: 31.74 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def get_config(variant: str = "") -> TrainConfig:
    recipe = TrainConfig(
        model="enhancenet",
        scale=4,
        protocol="rgb",
        loss="mse",
        steps=500_000,
        data=DataConfig(patch=128, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )
    tiny = replace(
        recipe,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(recipe.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": recipe, "x4": recipe, "tiny": tiny})
