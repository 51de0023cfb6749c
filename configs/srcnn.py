"""SRCNN with the paper's recipe: SGD with momentum 0.9 on Caffe's squared error, rate 1e-4, that of
the last layer and of all biases 1e-5; HR patches of 33 pixels (32 for x2 and x4), batches of 128.

    python train.py --config=configs/srcnn.py:x3 --workdir=runs/srcnn_x3 \
        --config.data.train=T91 --config.data.validation=Set5

Variants: x2, x3 (default), x4: 9-5-5; 915_x2, 915_x3, 915_x4: 9-1-5; tiny. The authors train
without padding for up to 15,000,000 updates; with Adam (`--config.optimizer.name=adam`) a few
hundred thousand will do. Published PSNR-Y on Set5 at x3: 32.75 dB after training on ImageNet, 9-1-5
on the 91 images 32.39 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="y-uint8",
        loss="euclidean",
        steps=15_000_000,
        data=DataConfig(patch=33 // scale * scale, batch=128),
        optimizer=OptimizerConfig(
            name="sgd", learning_rate=1e-4, rates={"conv3": 0.1, "bias": 0.1}
        ),
        ema=0.999,
        log_every=1000,
        validate_every=20_000,
        checkpoint_every=20_000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("srcnn", s) for s in (2, 3, 4)}
    variants |= {f"915_x{s}": _recipe("srcnn_915", s) for s in (2, 3, 4)}
    base = variants["915_x3"]
    tiny = replace(
        base,
        steps=10,
        data=replace(base.data, batch=4),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x3"], **variants, "tiny": tiny})
