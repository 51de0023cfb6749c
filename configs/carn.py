"""CARN and CARN-M with the authors' recipe: one network for x2, x3 and x4, each batch at one of
them drawn at random; L1, Adam 1e-4 halved every 400,000 updates, the norm of the gradient clipped
at 10, LR patches of 64 pixels, batches of 64, on DIV2K's 800 training images.

    python train.py --config=configs/carn.py:carn_m_x4 --workdir=runs/carn_m \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: carn_x2, carn_x3, carn_x4 (default), carn_m_x2, carn_m_x3, carn_m_x4; tiny. Those of one
network differ in the scale that validation scores, not in what is trained. Published PSNR-Y on
Set5 (protocol rgb): CARN 37.76 dB at x2, 34.29 at x3, 32.13 at x4; CARN-M 37.53, 33.99, 31.92.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        scales=(2, 3, 4),
        protocol="rgb",
        loss="l1",
        steps=600_000,
        data=DataConfig(patch=64 * scale, batch=64),
        optimizer=OptimizerConfig(
            learning_rate=1e-4, schedule="step", decay_every=400_000, clip_norm=10.0
        ),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"{m}_x{s}": _recipe(m, s) for m in ("carn", "carn_m") for s in (2, 3, 4)}
    base = variants["carn_x2"]
    tiny = replace(
        base,
        model_args={"features": 8},
        scales=(2, 3),
        steps=40,
        data=replace(base.data, patch=24, batch=4),
        optimizer=replace(base.optimizer, learning_rate=3e-3),
        log_every=10,
        validate_every=40,
        checkpoint_every=20,
    )
    return choose(variant, {"": variants["carn_x4"], **variants, "tiny": tiny})
