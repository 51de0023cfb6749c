"""ESPCN x3 on the 91 classic training images, scored on Set5.

    python train.py --config=configs/espcn_x3.py --workdir=runs/espcn_x3 \
        --config.data.train=T91 --config.data.validation=Set5

The paper cuts 17 * scale pixel patches and lowers the learning rate from 0.01 by hand when the
loss is flat; here Adam follows a cosine and the average of the weights is evaluated. See the
README for the time it takes and the PSNR it reaches.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def get_config(variant: str = "") -> TrainConfig:
    recipe = TrainConfig(
        model="espcn",
        scale=3,
        protocol="y-uint8",
        loss="mse",
        steps=40_000,
        data=DataConfig(
            patch=51,
            batch=16,
            rescale=(1.0, 0.9, 0.8, 0.7, 0.6),
        ),
        optimizer=OptimizerConfig(learning_rate=1e-3, schedule="cosine", warmup=500, clip_norm=0.1),
        ema=0.999,
        log_every=1000,
        validate_every=5000,
        checkpoint_every=5000,
    )
    tiny = replace(
        recipe,
        steps=20,
        data=replace(recipe.data, batch=4, rescale=(1.0,)),
        optimizer=replace(recipe.optimizer, warmup=2),
        log_every=5,
        validate_every=10,
        checkpoint_every=10,
    )
    return choose(variant, {"": recipe, "tiny": tiny})
