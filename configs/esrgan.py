"""ESRGAN's first stage, RRDBNet for PSNR: L1, HR patches of 192 pixels, batches of 16, Adam 2e-4
halved every 200,000 of 1,000,000 updates, on DIV2K and Flickr2K.

    python train.py --config=configs/esrgan.py --workdir=runs/rrdb_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K --config.data.validation=Set5

Variants: x2 (Real-ESRGAN's network), x3, x4 (default; the paper's); tiny. Large patches matter: 192
instead of 96 are worth 0.1 dB. Published PSNR-Y on Set5 at x4: 32.73 dB, with DIV2K alone 32.60.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="esrgan",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=192, batch=16),
        optimizer=OptimizerConfig(learning_rate=2e-4, schedule="step", decay_every=200_000),
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
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
