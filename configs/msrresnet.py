"""MSRResNet with BasicSR's recipe: L1, LR patches of 32 pixels, batches of 16, Adam 2e-4 falling by
a cosine to 1e-7 and restarted every 250,000 of 1,000,000 updates, on DIV2K's 800 training images.

    python train.py --config=configs/msrresnet.py:x2 --workdir=runs/msrresnet_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2, x3, x4 (default); tiny; first_x2, first_x3, first_x4, first_x8: msrresnet0 with KAIR's
recipe, L1, HR patches of 96, batches of 32, Adam 1e-4 halved every 200,000 of 1,000,000 updates.
MSRResNet's authors start x2 and x3 from the trained x4; here each starts from scratch unless
`--config.init_from` names a run. No PSNR-Y is published; of RGB, on Set5 at x4, 30.25 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="msrresnet",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=32 * scale, batch=16),
        optimizer=OptimizerConfig(
            learning_rate=2e-4, schedule="cosine", restart_every=250_000, end_rate=1e-7, b2=0.99
        ),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def _first(scale: int) -> TrainConfig:
    return replace(
        _recipe(scale),
        model="msrresnet0",
        data=DataConfig(patch=96, batch=32),
        optimizer=OptimizerConfig(learning_rate=1e-4, schedule="step", decay_every=200_000),
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    variants |= {f"first_x{s}": _first(s) for s in (2, 3, 4, 8)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=replace(base.optimizer, restart_every=5),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
