"""EDSR and its baseline with the paper's recipe: L1, Adam 1e-4 halved every 200,000 updates, LR
patches of 48 pixels, batches of 16, on DIV2K's 800 training images.

    python train.py --config=configs/edsr.py:baseline_x4 --workdir=runs/edsr_baseline_x4 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2 (default), x3, x4, x8: 32 blocks of 256 channels; baseline_x2, _x3, _x4, _x8: 16 blocks
of 64 channels; tiny. The paper starts x3 and x4 from the trained x2 network; here each starts from
scratch unless `--config.init_from` names a run, of which what fits is taken over. Published PSNR-Y
on Set5 at x2 (protocol rgb): 38.11 dB, baseline 37.99 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=300_000,
        data=DataConfig(patch=48 * scale, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4, schedule="step", decay_every=200_000),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("edsr", s) for s in (2, 3, 4, 8)}
    variants |= {f"baseline_x{s}": _recipe("edsr_baseline", s) for s in (2, 3, 4, 8)}
    base = variants["baseline_x2"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x2"], **variants, "tiny": tiny})
