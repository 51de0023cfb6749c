"""SwinIR and SwinIR-light with the authors' recipe: L1, Adam 2e-4 (0.9, 0.99) halved at 250,000,
400,000, 450,000 and 475,000 of 500,000 updates, LR patches of 64 pixels; batches of 32 on DIV2K
and Flickr2K, of 64 on DIV2K for light.

    python train.py --config=configs/swinir.py:light_x2 --workdir=runs/swinir_light_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5
    python train.py --config=configs/swinir.py:light_x4 --workdir=runs/swinir_light_x4 \
        --config.init_from=runs/swinir_light_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2 (default), x3, x4, x8, light_x2, light_x3, light_x4; tiny. All but x2 start from the
trained x2 network, which `init_from` names, and take half the rate and half the updates.
Published PSNR-Y on Set5 at x2, x3, x4 (protocol rgb): 38.42, 34.97, 32.92 dB; light 38.14, 34.62,
32.44 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose

_MILESTONES = (250_000, 400_000, 450_000, 475_000)


def _recipe(model: str, scale: int) -> TrainConfig:
    part = 1 if scale == 2 else 2
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=500_000 // part,
        data=DataConfig(patch=64 * scale, batch=64 if model == "swinir_light" else 32),
        optimizer=OptimizerConfig(
            learning_rate=2e-4 / part,
            schedule="step",
            milestones=tuple(step // part for step in _MILESTONES),
            b2=0.99,
        ),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("swinir", s) for s in (2, 3, 4, 8)}
    variants |= {f"light_x{s}": _recipe("swinir_light", s) for s in (2, 3, 4)}
    base = variants["light_x2"]
    tiny = replace(
        base,
        model_args={"features": 12, "blocks": 1, "layers": 2, "heads": 2},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x2"], **variants, "tiny": tiny})
