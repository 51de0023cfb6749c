"""RCAN with the paper's recipe: L1, Adam 1e-4 halved every 200,000 updates, LR patches of 48
pixels, batches of 16, on DIV2K's 800 training images.

    python train.py --config=configs/rcan.py:x2 --workdir=runs/rcan_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

The paper starts x3, x4 and x8 from the trained x2; what fits of it is taken over, all but the
up-sampler at x3, all but its further layers at x4 and x8:

    python train.py --config=configs/rcan.py:x4 --workdir=runs/rcan_x4 \
        --config.init_from=runs/rcan_x2 --config.data.train=DIV2K_train_HR

Variants: x2 (default), x3, x4, x8; tiny. Published PSNR-Y on Set5 (protocol rgb): 38.27 dB at x2,
34.74 at x3, 32.63 at x4, 27.31 at x8.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="rcan",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=48 * scale, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4, schedule="step", decay_every=200_000),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4, 8)}
    base = variants["x2"]
    tiny = replace(
        base,
        model_args={"groups": 2, "blocks": 2, "features": 8, "reduction": 4},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x2"], **variants, "tiny": tiny})
