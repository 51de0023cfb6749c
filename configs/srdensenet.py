"""SRDenseNet with the usual recipe: mean squared error, Adam 1e-4, a tenth after 80 % of 60 epochs,
HR patches of 100 pixels, one of each of 50,000 images per epoch (ImageNet in the paper), batches
of 32.

    python train.py --config=configs/srdensenet.py --workdir=runs/srdensenet_x4 \
        --config.data.train=FOLDER --config.data.validation=Set5

Variants: x4 (default), x2; tiny. Published PSNR-Y on Set5 at x4: 32.02 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="srdensenet",
        scale=scale,
        protocol="y-uint8",
        loss="mse",
        steps=93_750,
        data=DataConfig(patch=100, batch=32),
        optimizer=OptimizerConfig(
            learning_rate=1e-4, schedule="step", milestones=(75_000,), decay_factor=0.1
        ),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "layers": 2, "growth": 4, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=replace(base.optimizer, milestones=(8,)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
