"""IDN with the authors' recipe: L1, Adam 1e-4, a tenth at 250,000 and 600,000 updates, weight
decay 1e-4, biases and the transposed convolution at a tenth of the rate; images shrunk by 0.6 to 1.

    python train.py --config=configs/idn.py --workdir=runs/idn_x2 \
        --config.data.train=T91,BSDS200 --config.data.validation=Set5

Variants: x2 (default), x3, x4; tiny. LR patches of 29, 15, 11 pixels, batches of 64. The authors
name no end and begin with the squared error. Published PSNR-Y on Set5 at x2: 37.83 dB.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="idn",
        scale=scale,
        protocol="y-uint8",
        loss="l1",
        steps=700_000,
        data=DataConfig(
            patch={2: 29, 3: 15, 4: 11}[scale] * scale,
            batch=64,
            rescale=(1.0, 0.9, 0.8, 0.7, 0.6),
        ),
        optimizer=OptimizerConfig(
            learning_rate=1e-4,
            schedule="step",
            milestones=(250_000, 600_000),
            decay_factor=0.1,
            weight_decay=1e-4,
            rates={"^upsample/": 0.1, "bias": 0.1},
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
        model_args={"blocks": 1, "features": 16},
        steps=10,
        data=replace(base.data, patch=32, batch=4, rescale=(1.0,)),
        optimizer=replace(base.optimizer, milestones=(5, 8)),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
