"""The ways in which networks enlarge, as layers on features: [N, H, W, C] -> [N, sH, sW, C].

    bicubic        before the network: interpolation, nothing is learned     (SRCNN, VDSR, DRRN)
    transposed     a transposed convolution                                  (FSRCNN, LapSRN, DBPN)
    sub_pixel      a convolution to s^2 C channels and a shuffle             (ESPCN, EDSR, RCAN)
    nearest_conv   nearest-neighbour enlargement and a convolution           (EnhanceNet, ESRGAN)
    progressive    one of them again and again, by 2 (once by 3 for x3)      (LapSRN, SRResNet)

All but `bicubic` hold parameters: they are to be called in an `nn.compact` method. `dtype` is the
compute type. docs/checkerboard.md shows what the choice does to the picture.
"""

from typing import Any, Protocol

import jax

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import TransposedConv, conv, factors, nearest, pixel_shuffle


class Upsampling(Protocol):
    """What `progressive` repeats: one of the layers below, or a partial of it."""

    def __call__(self, x: jax.Array, scale: int, *, name: str, dtype: Any = None) -> jax.Array: ...


def bicubic(x: jax.Array, scale: int) -> jax.Array:
    """MATLAB's bicubic interpolation of every channel."""
    return imresize(x, scale)


def transposed(
    x: jax.Array, scale: int, *, name: str, size: int | None = None, dtype: Any = None
) -> jax.Array:
    """A transposed convolution of `size` x `size` taps and stride `scale`.

    Unless `size` is a multiple of `scale`, by default twice, some pixels of the result are sums
    of more taps than their neighbours, which draws a checkerboard. It is centred, or half a pixel
    of the result off where size - scale is odd, as in LapSRN and SRDenseNet.
    """
    size = size or 2 * scale
    crop = ((size - scale + 1) // 2, (size - scale) // 2)
    return TransposedConv(x.shape[-1], size, scale, crop, dtype=dtype, name=name)(x)


def sub_pixel(
    x: jax.Array, scale: int, *, name: str, icnr: bool = False, dtype: Any = None
) -> jax.Array:
    """A 3x3 convolution whose channels become pixels: Shi et al. 2016,
    https://arxiv.org/abs/1609.05158.

    The pixels of a cell come from kernels of their own, which start unlike each other; with
    `icnr` they start equal (Aitken et al. 2017, https://arxiv.org/abs/1707.02937).
    """
    shuffle = scale if icnr else 1
    x = conv(x, x.shape[-1] * scale**2, 3, name, shuffle=shuffle, dtype=dtype)
    return pixel_shuffle(x, scale)


def nearest_conv(x: jax.Array, scale: int, *, name: str, dtype: Any = None) -> jax.Array:
    """Each pixel repeated, then a 3x3 convolution: Odena et al. 2016, "Deconvolution and
    Checkerboard Artifacts", https://doi.org/10.23915/distill.00003."""
    return conv(nearest(x, scale), x.shape[-1], 3, name, dtype=dtype)


def progressive(
    way: Upsampling, x: jax.Array, scale: int, *, name: str, dtype: Any = None
) -> jax.Array:
    """`way` by each of `factors(scale)`, its layers called `{name}0`, `{name}1`, ..."""
    for i, factor in enumerate(factors(scale)):
        x = way(x, factor, name=f"{name}{i}", dtype=dtype)
    return x
