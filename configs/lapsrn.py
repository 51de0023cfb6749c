"""LapSRN with the paper's recipe: the Charbonnier loss summed over the pixels of an image and over
the levels, the inner ones against HR reduced by bicubic; SGD with momentum 0.9 and weight decay
1e-4, rate 1e-5 halved every 50 epochs of 100 updates down to 1e-6, biases at a tenth; images
shrunk by 0.5 to 1, HR patches of 128, batches of 64.

    python train.py --config=configs/lapsrn.py --workdir=runs/lapsrn_x4 \
        --config.data.train=T91,BSDS200 --config.data.validation=Set5

Variants: x4 (default), x2, x3, x8; tiny. The authors take x3 from the trained x4, whose parameters
it has; here it may be trained, on patches of 126. Published PSNR-Y on Set5: 37.52 dB at x2, 33.82
at x3, 31.54 at x4.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="lapsrn",
        scale=scale,
        protocol="y-uint8",
        loss="charbonnier_sum",
        steps=100_000,
        supervision="sum" if scale > 2 else "none",  # x2 has one level
        data=DataConfig(
            patch=128 // scale * scale,
            batch=64,
            rescale=(1.0, 0.9, 0.8, 0.7, 0.6, 0.5),
        ),
        optimizer=OptimizerConfig(
            name="sgd",
            learning_rate=1e-5,
            schedule="step",
            decay_every=5000,
            end_rate=1e-6,
            weight_decay=1e-4,
            rates={"bias": 0.1},
        ),
        ema=0.999,
        log_every=100,
        validate_every=1000,
        checkpoint_every=1000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 3, 4, 8)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"depth": 2, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4, rescale=(1.0,)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
