"""One small network x4, trained on bicubic LR or on Real-ESRGAN's: what each does on the other.

    for d in bicubic realesrgan; do
      python train.py --config=configs/crossover.py:$d --workdir=runs/crossover_$d \
          --config.data.train=T91,BSDS400,PHOTOS
      python eval.py --checkpoint=runs/crossover_$d --degradation=bicubic --data=BSD100
      python eval.py --checkpoint=runs/crossover_$d --degradation=realesrgan --data=BSD100
    done

Variants: bicubic (default), realesrgan: the same network, patches, updates; tiny. 20 to 30 minutes
each on two busy cores; docs/degradations.md has the table.
"""

from dataclasses import replace

from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose


def get_config(variant: str = "") -> TrainConfig:
    base = TrainConfig(
        model="edsr_baseline",
        model_args={"blocks": 4, "features": 24},
        scale=4,
        protocol="rgb",
        loss="l1",
        steps=3000,
        degradation="bicubic",
        data=DataConfig(patch=96, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-3, schedule="cosine", warmup=100),
        ema=0.999,
        log_every=200,
        validate_every=3000,
        checkpoint_every=1000,
    )
    tiny = replace(
        base,
        degradation="realesrgan",
        model_args={"blocks": 1, "features": 8},
        steps=10,
        data=replace(base.data, patch=32, batch=4),
        optimizer=replace(base.optimizer, warmup=2),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    realesrgan = replace(base, degradation="realesrgan")
    return choose(variant, {"": base, "bicubic": base, "realesrgan": realesrgan, "tiny": tiny})
