"""VDSR with the paper's recipe: one network for x2, x3 and x4, the scales mixed in every batch;
SGD with momentum 0.9 and weight decay 1e-4 on Caffe's squared error, rate 0.1, a tenth after every
20 of 80 epochs, every entry of the gradient clipped to 0.01 / rate.

    python train.py --config=configs/vdsr.py --workdir=runs/vdsr \
        --config.data.train=T91,BSDS200 --config.data.validation=Set5

Variants: x2 (default), x3, x4: the same training, scored at that scale; tiny. The paper's 80 epochs
are 9,960 batches of 64 patches of 41 pixels; three scales ask for 66 patches of 48. Published
PSNR-Y on Set5: 37.53 dB at x2, 33.67 at x3, 31.35 at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="vdsr",
        scale=scale,
        protocol="y-uint8",
        loss="euclidean",
        steps=9960,
        scales=(2, 3, 4),
        scale_mix="batch",
        data=DataConfig(patch=48, batch=66),
        optimizer=OptimizerConfig(
            name="sgd",
            learning_rate=0.1,
            schedule="step",
            decay_every=2490,
            decay_factor=0.1,
            weight_decay=1e-4,
            adjustable_clip=0.01,
        ),
        ema=0.999,
        log_every=100,
        validate_every=1000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    base = variants["x2"]
    tiny = replace(
        base,
        model_args={"depth": 5, "features": 16},
        steps=10,
        data=replace(base.data, patch=24, batch=6),
        # Clipped to 0.01 / rate, the first updates of so small a network overshoot.
        optimizer=replace(base.optimizer, adjustable_clip=0.0001),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
