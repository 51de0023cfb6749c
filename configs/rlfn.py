"""RLFN with the paper's recipe: L1, Adam 5e-4 halved every 200 of 1000 epochs, HR patches of 256
pixels, batches of 64, on DIV2K's 800 training images.

    python train.py --config=configs/rlfn.py:x4 --workdir=runs/rlfn_x4 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

The authors published no training code; an epoch is taken to be 1000 updates, as in EDSR's. Their
warm start repeats the whole schedule, with a fresh optimiser, from the weights reached:

    python train.py --config=configs/rlfn.py:x4 --workdir=runs/rlfn_x4_stage2 \
        --config.init_from=runs/rlfn_x4 --config.data.train=DIV2K_train_HR

The challenge's last stages (a contrastive loss, pruning, larger patches) are left out. Variants:
x2, x3, x4 (default); s_x2, s_x3, s_x4: RLFN-S, 48 channels; tiny. Published PSNR-Y on Set5
(protocol rgb): 38.07 dB at x2, 32.24 dB at x4.
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
        # 255 at x3: a patch is a multiple of the scale.
        data=DataConfig(patch=256 // scale * scale, batch=64),
        optimizer=OptimizerConfig(learning_rate=5e-4, schedule="step", decay_every=200_000),
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("rlfn", s) for s in (2, 3, 4)}
    variants |= {f"s_x{s}": _recipe("rlfn_s", s) for s in (2, 3, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=64, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
