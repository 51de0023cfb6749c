"""PAN with the paper's recipe: L1, Adam (0.9, 0.99) at 7e-4, a cosine to 1e-7 that starts again
every 250,000 of 1,000,000 updates, LR patches of 64 pixels, batches of 32, on DIV2K and Flickr2K.

    python train.py --config=configs/pan.py:x4 --workdir=runs/pan_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K --config.data.validation=Set5

Variants: x2, x3, x4 (default), tiny. Published PSNR-Y on Set5 (protocol rgb): 38.00 dB at x2,
32.13 dB at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="pan",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=64 * scale, batch=32),
        optimizer=OptimizerConfig(
            learning_rate=7e-4, schedule="cosine", restart_every=250_000, end_rate=1e-7, b2=0.99
        ),
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8, "up_features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=replace(base.optimizer, restart_every=5),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
