"""Losses: `(sr, hr) -> scalar`, on NHWC floats in [0, 1].

Those of feature maps, `jaxsr.losses.texture` and `jaxsr.losses.contextual`, take the features of a
network instead of images; adversarial ones (`GAN_LOSSES`) the logits of a discriminator. Perceptual
losses are in `jaxsr.losses.perceptual`.
"""

from collections.abc import Mapping
from typing import Any

from jaxsr.errors import InputError, nearest
from jaxsr.losses.adversarial import (
    GAN_LOSSES,
    GanLoss,
    get_gan_loss,
    gradient_penalty,
    r1_penalty,
)
from jaxsr.losses.contextual import contextual
from jaxsr.losses.frequency import fft, focal_frequency
from jaxsr.losses.pixel import (
    charbonnier,
    charbonnier_sum,
    euclidean,
    gradient,
    huber,
    l1,
    mse,
    tv,
)
from jaxsr.losses.structural import (
    gaussian_l1,
    mix,
    mix_paper,
    mix_released,
    ms_ssim,
    ms_ssim_2scales,
    ms_ssim_3scales,
    ms_ssim_4scales,
    ssim,
    zhao_ms_ssim,
    zhao_ssim,
)
from jaxsr.losses.texture import gram, gram_l1, texture
from jaxsr.losses.weighted import Loss, WeightedSum, as_weighted_sum, weighted_sum

_LARGEST = 1e38  # about what float32 holds

LOSSES: dict[str, Loss] = {
    "l1": l1,
    "mse": mse,
    "charbonnier": charbonnier,
    "charbonnier_sum": charbonnier_sum,
    "euclidean": euclidean,
    "huber": huber,
    "tv": tv,
    "gradient": gradient,
    "fft": fft,
    "focal_frequency": focal_frequency,
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "ms_ssim_4scales": ms_ssim_4scales,
    "ms_ssim_3scales": ms_ssim_3scales,
    "ms_ssim_2scales": ms_ssim_2scales,
    "zhao_ms_ssim": zhao_ms_ssim,
    "zhao_ssim": zhao_ssim,
    "gaussian_l1": gaussian_l1,
    "mix_paper": mix_paper,
    "mix_released": mix_released,
}


def get_loss(spec: Any) -> Loss:
    """The loss of a config's `loss`.

    Args:
      spec: a name of `LOSSES` or of `jaxsr.losses.perceptual`, or {name: weight}, which gives a
        `WeightedSum`.

    Raises:
      InputError: for an unknown name, a weight that is not positive and finite, or a network
        whose weights are not on this machine.
    """
    if isinstance(spec, str):
        return _named(spec)
    if not isinstance(spec, Mapping) or not spec:
        raise InputError(f"loss: expected a name or {{name: weight, ...}}, got {spec!r}")
    for name, weight in spec.items():
        if type(weight) not in (int, float) or not 0 < weight < _LARGEST:
            raise InputError(f"loss: the weight of '{name}' must be a positive number: {weight!r}")
    return weighted_sum({name: (float(weight), _named(name)) for name, weight in spec.items()})


def _named(name: Any) -> Loss:
    if name in LOSSES:
        return LOSSES[name]
    from jaxsr.vision import TRUNKS

    if str(name).startswith(tuple(f"{network}_" for network in TRUNKS)):
        from jaxsr.losses.perceptual import perceptual

        return perceptual(name)
    known = [*LOSSES, *(f"{network}_LAYER" for network in TRUNKS)]
    raise InputError(f"unknown loss '{name}'{nearest(str(name), known)}")


__all__ = [
    "GAN_LOSSES",
    "LOSSES",
    "GanLoss",
    "Loss",
    "WeightedSum",
    "as_weighted_sum",
    "charbonnier",
    "charbonnier_sum",
    "contextual",
    "euclidean",
    "fft",
    "focal_frequency",
    "gaussian_l1",
    "get_gan_loss",
    "get_loss",
    "gradient",
    "gradient_penalty",
    "gram",
    "gram_l1",
    "huber",
    "l1",
    "mix",
    "mix_paper",
    "mix_released",
    "ms_ssim",
    "ms_ssim_2scales",
    "ms_ssim_3scales",
    "ms_ssim_4scales",
    "mse",
    "r1_penalty",
    "ssim",
    "texture",
    "tv",
    "weighted_sum",
    "zhao_ms_ssim",
    "zhao_ssim",
]
