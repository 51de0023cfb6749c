"""RealESRNet, the first stage of Real-ESRGAN: the network of ESRGAN, LR by blur, resize, noise and
JPEG twice over, L1 to the sharpened HR; HR patches of 256 pixels out of degraded ones of 400, only
flipped; batches of 48, Adam 2e-4, 1,000,000 updates, started from ESRGAN's weights.

    python train.py --config=configs/realesrnet.py --workdir=runs/realesrnet_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K,OST --config.init_from=RRDB_PSNR_x4.pth

Variants: x2, x4 (default); tiny. The original draws from DF2K at five sizes and crops of the rest,
and mixes batches through a pool of 180 pairs because a batch shares its draws there; here every
patch has its own. There is no published score: nothing that it could be compared with exists.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="esrgan",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        degradation="realesrgan",
        data=DataConfig(patch=256, border=72, batch=48, upright=True, sharpen=True),
        optimizer=OptimizerConfig(learning_rate=2e-4, b2=0.99),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 1, "features": 8, "growth": 4},
        steps=10,
        data=replace(base.data, patch=32, border=8, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
