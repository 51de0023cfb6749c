"""MDSR and its baseline with the paper's recipe: one network for x2, x3 and x4, each batch at one
of them drawn at random; L1, Adam 1e-4 halved every 200,000 updates, LR patches of 48 pixels,
batches of 16, on DIV2K's 800 training images.

    python train.py --config=configs/mdsr.py:baseline_x2 --workdir=runs/mdsr_baseline \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2 (default), x3, x4: 80 blocks; baseline_x2, _x3, _x4: 16 blocks; tiny. They differ in
the scale that validation scores, not in what is trained. The authors' code runs 650,000 updates.
Published PSNR-Y on Set5 (protocol rgb): 38.11 dB at x2, 34.66 at x3, 32.50 at x4.
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
        steps=650_000,
        data=DataConfig(patch=48 * scale, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4, schedule="step", decay_every=200_000),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("mdsr", s) for s in (2, 3, 4)}
    variants |= {f"baseline_x{s}": _recipe("mdsr_baseline", s) for s in (2, 3, 4)}
    base = variants["baseline_x2"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        scales=(2, 3),
        steps=40,
        data=replace(base.data, patch=24, batch=4),
        optimizer=replace(base.optimizer, learning_rate=3e-3),
        log_every=10,
        validate_every=40,
        checkpoint_every=20,
    )
    return choose(variant, {"": variants["x2"], **variants, "tiny": tiny})
