"""RDN with the paper's recipe: L1, Adam 1e-4 halved every 200,000 updates, LR patches of 48 pixels
(x3 and x4: 32), batches of 16, on DIV2K's 800 training images.

    python train.py --config=configs/rdn.py:x2 --workdir=runs/rdn_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

The paper fine-tunes x3 and x4 from the trained x2; what fits of it is taken over:

    python train.py --config=configs/rdn.py:x4 --workdir=runs/rdn_x4 \
        --config.init_from=runs/rdn_x2 --config.data.train=DIV2K_train_HR

Variants: x2 (default), x3, x4: D = 16, C = 8, G = 64; a_x2, a_x3, a_x4: the smaller D = 20, C = 6,
G = 32; tiny. Published PSNR-Y on Set5 (protocol rgb): 38.24 dB at x2, 34.71 at x3, 32.47 at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=(48 if scale == 2 else 32) * scale, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4, schedule="step", decay_every=200_000),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("rdn", s) for s in (2, 3, 4)}
    variants |= {f"a_x{s}": _recipe("rdn_a", s) for s in (2, 3, 4)}
    base = variants["x2"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "layers": 2, "growth": 8, "features": 8, "up_features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x2"], **variants, "tiny": tiny})
