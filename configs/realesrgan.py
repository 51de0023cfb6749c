"""Real-ESRGAN in two stages, on LR by blur, resize, noise and JPEG twice over. RealESRNet: L1, Adam
2e-4, 1,000,000 updates (configs/realesrnet.py is this stage alone). Then L1, plus L1 of VGG19's
conv1_2, conv2_2, conv3_4, conv4_4 and conv5_4 features (0.1, 0.1, 1, 1, 1), both to sharpened HR,
plus 0.1 of the adversarial loss of a U-Net that judges every pixel of plain HR; Adam 1e-4, 400,000
updates. HR patches of 256 pixels out of degraded ones of 400, only flipped; batches of 48.

    python train.py --config=configs/realesrgan.py --workdir=runs/realesrgan_x4 \
        --config.data.train=DIV2K_train_HR,Flickr2K,OST --config.init_from=RRDB_PSNR_x4.pth

The first stage starts from `init_from` and is a run of its own in runs/realesrgan_x4/psnr. To start
the second from a finished one: --config.pretrain.steps=0 --config.init_from=runs/realesrnet_x4.

Variants: x2, x4 (default); tiny. The original draws from DF2K at five sizes and crops of the rest,
and mixes batches through a pool of 180 pairs because a batch shares its draws there; here every
patch has its own. There is no published score: nothing that it could be compared with exists.
"""

from dataclasses import replace

from jaxsr.training.config import (
    AdversarialConfig,
    DataConfig,
    DiscriminatorConfig,
    OptimizerConfig,
    PretrainConfig,
    TrainConfig,
    choose,
)


def _recipe(scale: int) -> TrainConfig:
    return TrainConfig(
        model="esrgan",
        scale=scale,
        protocol="rgb",
        pretrain=PretrainConfig(
            1_000_000, "l1", optimizer=OptimizerConfig(learning_rate=2e-4, b2=0.99)
        ),
        loss={"l1": 1.0, "vgg19_realesrgan": 1.0},
        steps=400_000,
        degradation="realesrgan",
        data=DataConfig(patch=256, border=72, batch=48, upright=True, sharpen=True),
        optimizer=OptimizerConfig(learning_rate=1e-4, b2=0.99),
        adversarial=AdversarialConfig(
            discriminators={"image": DiscriminatorConfig("unet", weight=0.1)},
            loss="vanilla",
            optimizer=OptimizerConfig(learning_rate=1e-4, b2=0.99),
        ),
        ema=0.999,
        metrics=("psnr", "ssim", "lpips", "niqe"),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )


def get_config(variant: str = "") -> TrainConfig:
    variants = {f"x{s}": _recipe(s) for s in (2, 4)}
    base = variants["x4"]
    tiny = replace(
        base,
        model_args={"blocks": 1, "features": 8, "growth": 4},
        pretrain=replace(base.pretrain, steps=10),
        loss={"l1": 1.0, "vgg_random_conv2_2": 0.1},
        steps=10,
        data=replace(base.data, patch=32, border=8, batch=4),
        adversarial=replace(
            base.adversarial,
            discriminators={"image": DiscriminatorConfig("unet", {"features": 4}, weight=0.1)},
        ),
        metrics=("psnr", "ssim"),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    return choose(variant, {"": base, **variants, "tiny": tiny})
