"""D-DBPN with the paper's recipe: L1, Adam 1e-4 divided by 10 after half of 1,000,000 updates, LR
patches of 32 pixels, batches of 20, on DIV2K, Flickr2K and ImageNet.

    python train.py --config=configs/dbpn.py:x4 --workdir=runs/dbpn_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K --config.data.validation=Set5

Variants: x2, x4 (default), x8, tiny. Published PSNR-Y on Set5 (protocol rgb): 38.09, 32.47 and
27.21 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="dbpn",
        scale=scale,
        protocol="rgb",
        loss="l1",
        steps=1_000_000,
        data=DataConfig(patch=32 * scale, batch=20),
        optimizer=OptimizerConfig(
            learning_rate=1e-4, schedule="step", milestones=(500_000,), decay_factor=0.1
        ),
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 4, 8)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"stages": 2, "features": 8, "head_features": 16},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=replace(base.optimizer, milestones=(5,)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
