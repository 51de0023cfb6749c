"""DRRN with the paper's recipe: one network for x2, x3 and x4, the scales mixed in every batch;
SGD with momentum 0.9 and weight decay 1e-4 on Caffe's squared error, rate 0.1 halved every 10
epochs of 6,536 updates, biases of convolutions at a tenth, the gradient's norm clipped
to 0.01 / rate.

    python train.py --config=configs/drrn.py --workdir=runs/drrn \
        --config.data.train=T91,BSDS200 --config.data.validation=Set5

Variants: x2 (default), x3, x4: B1U25, the same training, scored at that scale; b1u9_x2, _x3, _x4;
tiny. The paper's batches are 128 patches of 31 pixels, for 50 epochs; three scales ask for 129 of
36, and each scale is normalised by its own third of the batch. Published PSNR-Y on Set5 of B1U25:
37.74 dB at x2, 34.03 at x3, 31.68 at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="y-uint8",
        loss="euclidean",
        steps=326_800,
        scales=(2, 3, 4),
        scale_mix="batch",
        data=DataConfig(patch=36, batch=129),
        optimizer=OptimizerConfig(
            name="sgd",
            learning_rate=0.1,
            schedule="step",
            decay_every=65_360,
            weight_decay=1e-4,
            adjustable_clip_norm=0.01,
            rates={"^(head|conv1|conv2|tail)/bias": 0.1},
        ),
        ema=0.999,
        log_every=100,
        validate_every=6536,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("drrn", s) for s in (2, 3, 4)}
    variants |= {f"b1u9_x{s}": _recipe("drrn_b1u9", s) for s in (2, 3, 4)}
    base = variants["x2"]
    tiny = replace(
        base,
        model_args={"units": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=24, batch=6),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
