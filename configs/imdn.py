"""IMDN with the paper's recipe: L1, Adam 2e-4 halved every 200 of 1000 epochs of 1000 updates, HR
patches of 192 pixels at every scale, batches of 16, on DIV2K's 800 training images.

    python train.py --config=configs/imdn.py:x4 --workdir=runs/imdn_x4 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2, x3, x4 (default), tiny. Published PSNR-Y on Set5 (protocol rgb): 38.00, 34.36 and
32.21 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="imdn",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=192, batch=16),
        optimizer=OptimizerConfig(learning_rate=2e-4, schedule="step", decay_every=200_000),
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 16},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
