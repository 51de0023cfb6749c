"""EnhanceNet: E, for squared error; P, for features; PA and PAT, against a discriminator, the last
with textures. HR patches of 128 pixels, Adam 1e-4.

    python train.py --config=configs/enhancenet.py:pat --workdir=runs/enhancenet_pat \
        --config.data.train=COCO --config.data.validation=Set5

Variants: e (default, as "x4"; the only scale); p (VGG19's pool2 and pool5, 0.2 and 0.02); pa (P and
adversarial, weight 1); pat (P, adversarial, weight 2, and Gram matrices of patches of 16: the
authors' best); tiny (pat). No pixel loss in P, PA and PAT. The discriminator only learns while it
is worse than a threshold on HR or on SR in the step before, as in the paper.

The paper trains on the images of MS-COCO whose shorter side has more than 384 pixels, which the
authors reduce by Pillow's Lanczos kernel, here by MATLAB's bicubic. Ours are the batch, the numbers
of updates, the threshold, that the discriminator learns before the generator in a step, its own
loss multiplied by the same weight (as tensorpack's replication has it), flips and rotations, the
average of the weights (ema), and that P, PA and PAT begin from E, trained as a stage of the same
run. VGG19's weights are Caffe's (docs/perceptual.md). Published PSNR-Y on Set5: E 31.74 dB, PAT
28.56.
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

_PERCEPTUAL = {"vgg19_caffe_enhancenet": 1.0}


def _against(weight: float, **fields: object) -> AdversarialConfig:
    return AdversarialConfig(
        discriminators={"image": DiscriminatorConfig("enhancenet", dict(fields), weight=weight)},
        loss="vanilla",
        loss_weight=weight,
        order="discriminator",
        lag=0.8,
    )


def get_config(variant: str = "") -> TrainConfig:
    e = TrainConfig(
        model="enhancenet",
        scale=4,
        protocol="rgb",
        loss="mse",
        steps=500_000,
        data=DataConfig(patch=128, batch=16),
        optimizer=OptimizerConfig(learning_rate=1e-4),
        log_every=100,
        validate_every=5000,
        checkpoint_every=5000,
    )
    p = replace(
        e,
        pretrain=PretrainConfig(e.steps, "mse", optimizer=e.optimizer),
        loss=_PERCEPTUAL,
        metrics=("psnr", "ssim", "lpips", "niqe"),
    )
    pa = replace(p, adversarial=_against(1.0))
    pat = replace(p, loss=_PERCEPTUAL | {"vgg19_caffe_texture": 1.0}, adversarial=_against(2.0))
    tiny = replace(
        pat,
        model_args={"blocks": 2, "features": 8},
        pretrain=replace(pat.pretrain, steps=10),
        loss={"vgg_random_pool2_mse": 0.01, "vgg_random_relu2_1_gram": 0.01},
        steps=10,
        data=replace(pat.data, patch=32, batch=4),
        adversarial=_against(2.0, features=4, dense=16),
        metrics=("psnr", "ssim"),
        log_every=5,
        validate_every=10,
        checkpoint_every=5,
    )
    variants = {"e": e, "x4": e, "p": p, "pa": pa, "pat": pat, "tiny": tiny}
    return choose(variant, {"": e, **variants})
