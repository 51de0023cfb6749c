"""SRVGGNetCompact, the first stage (L1), as is usual: Adam 1e-4, HR patches of 256 pixels, batches
of 48 (12 on each of four GPUs), 400,000 updates, on DIV2K and other sharp images. Real-ESRGAN never
published its options; these are those of its large network. The degradation here is bicubic, so
that the scores can be compared; the real-world networks are trained on Real-ESRGAN's.

    python train.py --config=configs/srvgg.py:x2 --workdir=runs/srvgg_x2 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2, x3, x4 (default): 16 layers of 64 features; general_x4: 32 layers; ultra_x2: 8
layers; tiny. No scores were published.
"""

from dataclasses import replace
from typing import Any

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int, **model_args: Any) -> TrainConfig:
    return TrainConfig(
        model="srvgg",
        scale=scale,
        model_args=model_args,
        protocol="rgb",
        loss="l1",
        steps=400_000,
        data=DataConfig(patch=256 // scale * scale, batch=48),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    variants |= {"general_x4": _recipe(4, layers=32), "ultra_x2": _recipe(2, layers=8)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"layers": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
