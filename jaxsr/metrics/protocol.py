"""The evaluation protocols: what is compared, once declared, used by training and evaluation.

Both crop HR to a multiple of the scale, compare luma, shave `scale` pixels on every side, give
PSNR with peak 255 and average the per-image values. They differ in where rounding to 8 bits
happens:

* `y-uint8` (SRCNN to MemNet): HR luma is rounded; LR is made from it in floating point and not
  rounded; the network sees luma; SR is rounded.
* `rgb` (EDSR to today): LR is the rounded 8-bit RGB image; the network sees RGB; SR is rounded;
  luma of both is compared unrounded.
"""

from dataclasses import dataclass
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations import Degradation
from jaxsr.errors import InputError, nearest
from jaxsr.image.colour import luma, to_float, to_uint8
from jaxsr.metrics.distortion import psnr
from jaxsr.metrics.structural import ssim

ArrayT = TypeVar("ArrayT", jax.Array, np.ndarray)


@dataclass(frozen=True)
class Protocol:
    """One evaluation protocol; the name is printed beside every number it gives."""

    name: str
    on_luma: bool  # the network sees luma, not RGB

    def pair(
        self,
        degrade: Degradation | None,
        key: jax.Array,
        hr: jax.Array,
        lr: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """LR and HR as the network and the loss see them, floats in [0, 1], from uint8 HR.

        Args:
          degrade: makes LR; its scale must divide height and width. None: LR is given.
          key: for `degrade`, one or [N].
          hr: uint8 [N, H, W, 1 or 3].
          lr: uint8 [N, h, w, 1 or 3], taken as it is, or None.
        """
        if hr.dtype != jnp.uint8:
            raise ValueError(f"HR must be uint8, got {hr.dtype}")
        if (degrade is None) == (lr is None):
            raise ValueError("give either a degradation or LR")
        if lr is not None:
            lr, hr = to_float(lr), to_float(hr)
            return (luma(lr), to_float(to_uint8(luma(hr)))) if self.on_luma else (lr, hr)
        assert degrade is not None
        if self.on_luma:
            hr = to_float(to_uint8(luma(to_float(hr))))
            return degrade(key, hr), hr
        return to_float(degrade(key, hr)), to_float(hr)

    def score(self, sr: jax.Array, hr: jax.Array, scale: int) -> tuple[jax.Array, jax.Array]:
        """PSNR and SSIM, each [N], of a network's output against `pair`'s HR."""
        sr, hr = to_uint8(sr), to_uint8(hr)  # HR has 8-bit levels already: this restores them
        return (
            psnr(sr, hr, shave=scale, luma=True),
            ssim(sr, hr, shave=scale, luma=True),
        )


def crop_to_multiple(hr: ArrayT, scale: int) -> ArrayT:
    """The top-left part of [..., H, W, C] whose height and width are multiples of the scale."""
    return hr[..., : hr.shape[-3] // scale * scale, : hr.shape[-2] // scale * scale, :]


PROTOCOLS = {
    "y-uint8": Protocol("y-uint8", on_luma=True),
    "rgb": Protocol("rgb", on_luma=False),
}


def get_protocol(name: str) -> Protocol:
    """The protocol of that name; InputError for an unknown one."""
    if name not in PROTOCOLS:
        raise InputError(f"unknown protocol '{name}'{nearest(name, PROTOCOLS)}")
    return PROTOCOLS[name]
