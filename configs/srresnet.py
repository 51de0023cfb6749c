"""SRResNet with the paper's recipe: squared error, Adam 1e-4, HR patches of 96 pixels, batches of
16, 1,000,000 updates.

    python train.py --config=configs/srresnet.py --workdir=runs/srresnet_x4 \
        --config.data.train=DIV2K_train_HR --config.data.validation=Set5

Variants: x2, x3, x4 (default; the paper's), x8; tiny. The paper trains on 350,000 images of
ImageNet; any folder of photographs will do. Published PSNR-Y on Set5 at x4: 32.05 dB. SRGAN's
generator starts from this network.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="srresnet",
        scale=scale,
        protocol="rgb",
        loss="mse",
        steps=1_000_000,
        data=DataConfig(patch=96, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4, 8)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
