"""One small network x4 trained three times on the same budget: for MSE, for L1, and for the mix of
L1 and MS-SSIM of Zhao et al., "Loss functions for image restoration with neural networks" (2017).

    for loss in mse l1 mix; do
      python train.py --config=configs/losses.py:$loss --workdir=runs/loss_$loss \
          --config.data.train=T91,BSDS400,PHOTOS
      python eval.py --checkpoint=runs/loss_$loss --data=BSD100 --metrics=psnr,ssim,ms_ssim
    done

Variants: mse, l1 (default), mix (the paper's weight, 0.84); tiny. Some minutes each on two cores;
docs/losses.md has the table.
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
        steps=1500,
        data=DataConfig(patch=96, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-3, schedule="cosine", warmup=100),
        ema=0.99,
        log_every=100,
        validate_every=1500,
        checkpoint_every=500,
    )
    tiny = replace(
        base,
        loss={"l1": 0.16, "zhao_ms_ssim": 0.84},
        model_args={"blocks": 1, "features": 8},
        steps=10,
        data=replace(base.data, patch=48, batch=4),
        optimizer=replace(base.optimizer, warmup=2),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    by_loss = {
        "mse": replace(base, loss="mse"),
        "l1": base,
        "mix": replace(base, loss="mix_paper"),
    }
    return choose(variant, {"": base, **by_loss, "tiny": tiny})
