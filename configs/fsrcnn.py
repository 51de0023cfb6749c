"""FSRCNN with the paper's recipe: SGD with momentum 0.9 on Caffe's squared error, rate 1e-3, that
of the deconvolution 1e-4; LR patches of 10, 7 and 6 pixels for x2, x3 and x4; the training images
also shrunk to 0.9, 0.8, 0.7 and 0.6.

    python train.py --config=configs/fsrcnn.py:x3 --workdir=runs/fsrcnn_x3 \
        --config.data.train=T91 --config.data.validation=Set5

Variants: x2, x3 (default), x4: (56, 12, 4); s_x2, s_x3, s_x4: FSRCNN-s (32, 5, 1); tiny. The paper
goes on with General-100 added at half the rates (`--config.init_from=RUN`). It prints no number of
updates and no batch: 1,000,000 of 128 patches are ours, and so is the gradient's norm clipped to 1,
without which the first steps diverge. Published PSNR-Y on Set5 at x3: 33.18 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose

_LR_PATCH = {2: 10, 3: 7, 4: 6}


def _recipe(model: str, scale: int) -> TrainConfig:
    return TrainConfig(
        model=model,
        scale=scale,
        protocol="y-uint8",
        loss="euclidean",
        steps=1_000_000,
        data=DataConfig(
            patch=_LR_PATCH[scale] * scale, batch=128, rescale=(1.0, 0.9, 0.8, 0.7, 0.6)
        ),
        optimizer=OptimizerConfig(
            name="sgd", learning_rate=1e-3, rates={"deconvolve": 0.1}, clip_norm=1.0
        ),
        ema=0.999,
        log_every=1000,
        validate_every=10_000,
        checkpoint_every=10_000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe("fsrcnn", s) for s in (2, 3, 4)}
    variants |= {f"s_x{s}": _recipe("fsrcnn_s", s) for s in (2, 3, 4)}
    base = variants["s_x3"]
    tiny = replace(
        base,
        steps=10,
        data=replace(base.data, batch=4, rescale=(1.0,)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": variants["x3"], **variants, "tiny": tiny})
