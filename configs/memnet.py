"""MemNet with the authors' recipe: one network for x2, x3 and x4, the scales mixed in every batch;
Caffe's squared error of the output and of each memory block's image, added; SGD with momentum 0.9
and weight decay 1e-4, rate 0.1, a tenth after every 200,000 updates, biases of convolutions at a
tenth, the gradient's norm clipped to 0.01 / rate.

    python train.py --config=configs/memnet.py --workdir=runs/memnet \
        --config.data.train=T91,BSDS200 --config.data.validation=Set5

Variants: x2 (default), x3, x4: the same training, scored at that scale; tiny. The authors' batches
are 32 patches of 31 pixels, without a set end; three scales ask for 33 of 36, and each scale is
normalised by its own third of the batch. Published PSNR-Y on Set5: 37.78 dB at x2,
34.09 at x3, 31.74 at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="memnet",
        scale=scale,
        protocol="y-uint8",
        loss="euclidean",
        steps=600_000,
        supervision="sum",
        scales=(2, 3, 4),
        scale_mix="batch",
        data=DataConfig(patch=36, batch=33),
        optimizer=OptimizerConfig(
            name="sgd",
            learning_rate=0.1,
            schedule="step",
            decay_every=200_000,
            decay_factor=0.1,
            weight_decay=1e-4,
            adjustable_clip_norm=0.01,
            rates={"(^|/)(head|conv_a|conv_b|gate|tail)/bias": 0.1},
        ),
        ema=0.999,
        log_every=100,
        validate_every=5000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4)}
    base = variants["x2"]
    tiny = replace(
        base,
        model_args={"blocks": 2, "recursions": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=24, batch=6),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
