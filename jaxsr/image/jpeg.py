"""JPEG as a function: what libjpeg's coder and decoder make of a picture, without the bits.

Entropy coding loses nothing, so it is left out.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.image.canvas import Size, extend, size_of

# ITU-T T.81, tables K.1 and K.2, [vertical, horizontal] frequency
LUMA_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
CHROMA_TABLE = np.full((8, 8), 99)
CHROMA_TABLE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

# libjpeg's colour in units of 2^-16, of which float32 holds the sums exactly on every device
_TO_YCBCR = np.array([[19595, 38470, 7471], [-11058, -21710, 32768], [32768, -27439, -5329]])
_TO_RGB = np.array([[0, 91881], [-22554, -46802], [116130, 0]])  # added to Y, of Cb and Cr


def _dct() -> np.ndarray:
    """The orthonormal DCT of an 8 x 8 block in row-major order: [64, 64], frequency first."""
    u, i = np.arange(8)[:, None], np.arange(8)[None]
    line = np.sqrt(np.where(u == 0, 1, 2) / 8) * np.cos((2 * i + 1) * u * np.pi / 16)
    return np.kron(line, line).astype(np.float32)


_DCT = _dct()


def soft_round(x: jax.Array) -> jax.Array:
    """round(x) + (x - round(x))^3, whose slope is zero at integers only (Shin and Song, 2017)."""
    whole = jax.lax.stop_gradient(jnp.round(x))
    return whole + (x - whole) ** 3


def jpeg(
    x: jax.Array,
    quality: float | jax.Array,
    *,
    size: Size | None = None,
    rounding: Callable[[jax.Array], jax.Array] = jnp.round,
) -> jax.Array:
    """Compresses and decompresses: baseline JPEG with 4:2:0 chroma, as libjpeg does by default.

    With 3 channels, full-range YCbCr of BT.601, chroma averaged over 2 x 2 pixels and enlarged by
    the triangle filter of libjpeg's decoder; with 1 channel, that channel. Differs from libjpeg
    by what its integer DCT rounds midway, mostly by nothing, rarely by more than a gray level
    (tests/image/test_jpeg.py), and in pictures less than 5 pixels wide, whose chroma it repeats.

    Args:
      x: [H, W, 1 or 3] in [0, 1]; what exceeds the range is clipped.
      quality: 1 to 100, real; clipped to that range, as libjpeg does.
      size: of the picture, if it is smaller than x, see `canvas`.
      rounding: of the quantised coefficients. With jnp.round, libjpeg's other roundings are done,
        too: the picture before and after, YCbCr, and coefficients to eighths. With any other,
        such as `soft_round`, nothing else is rounded: the result is differentiable in x.

    Returns:
      Like x, in [0, 1].

    Raises:
      ValueError: for another number of channels.
    """
    if x.ndim != 3 or x.shape[-1] not in (1, 3):
        raise ValueError(f"expected [H, W, 1 or 3], got shape {x.shape}")
    integers = rounding is jnp.round

    def whole(x: jax.Array, bias: float | jax.Array = 0.5) -> jax.Array:
        return jnp.floor(x + bias) if integers else x

    def coded(plane: jax.Array, table: np.ndarray) -> jax.Array:
        step = quantisation(table, quality).reshape(1, 64)
        frequencies = whole(8.0 * _product(_blocks(plane) - 128.0, _DCT.T)) / 8.0
        steps = _half_away(frequencies / step) if integers else rounding(frequencies / step)
        blocks = _product(steps * step, _DCT) + 128.0
        return jnp.clip(whole(_plane(blocks, plane.shape)), 0.0, 255.0)

    height, width, channels = x.shape
    h, w = size_of(x, size)
    unit = 8 if channels == 1 else 16
    x = extend(x, ((0, -height % unit), (0, -width % unit)), "replicate", size)
    planes = [whole(255.0 * jnp.clip(x[..., c], 0.0, 1.0)) for c in range(channels)]
    if channels == 1:
        return coded(planes[0], LUMA_TABLE)[:height, :width, None] / 255.0

    def chroma(plane: jax.Array) -> jax.Array:
        rows = plane[::2] + plane[1::2]
        odd = (
            jnp.arange(plane.shape[1], dtype=jnp.float32)[None] % 2
        )  # libjpeg breaks ties by turns
        small = 0.25 * (rows[:, ::2] + rows[:, 1::2])
        small = whole(small, (1 + odd[:, : small.shape[1]]) / 4)
        # Below the picture the last row of means goes on, not that of pixels.
        small = small[jnp.minimum(jnp.arange(len(small)), (h + 1) // 2 - 1)]
        large = _doubled(coded(small, CHROMA_TABLE), ((h + 1) // 2, (w + 1) // 2))
        return whole(large, (8 - odd) / 16) - 128.0

    just_below = 0.5 - 2**-16
    y = coded(whole(_mixed(_TO_YCBCR[0], planes)), LUMA_TABLE)
    cb = chroma(whole(_mixed(_TO_YCBCR[1], planes) + 128.0, just_below))
    cr = chroma(whole(_mixed(_TO_YCBCR[2], planes) + 128.0, just_below))
    rgb = jnp.stack([y + whole(_mixed(row, [cb, cr])) for row in _TO_RGB], axis=-1)
    return jnp.clip(rgb[:height, :width], 0.0, 255.0) / 255.0


def _mixed(weights: np.ndarray, planes: list[jax.Array]) -> jax.Array:
    """The sum of the planes by weights in units of 2^-16."""
    terms = [float(weight) / 2**16 * plane for weight, plane in zip(weights, planes, strict=True)]
    return functools.reduce(jnp.add, terms)


def _half_away(x: jax.Array) -> jax.Array:
    """To the nearest integer, halves away from zero."""
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)


def quantisation(table: np.ndarray, quality: float | jax.Array) -> jax.Array:
    """libjpeg's table of steps, [8, 8] whole numbers from 1 to 255, for a quality of 1 to 100."""
    quality = jnp.clip(jnp.asarray(quality, jnp.float32), 1.0, 100.0)
    # The tenths keep quotients that are whole from being rounded to just below.
    percent = jnp.where(quality < 50, jnp.floor(5000.1 / quality), 200.0 - 2.0 * quality)
    return jnp.clip(jnp.floor((table * percent + 50.1) / 100.0), 1.0, 255.0)


def _product(x: jax.Array, matrix: np.ndarray) -> jax.Array:
    return jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)


def _blocks(x: jax.Array) -> jax.Array:
    """[8 m, 8 n] to [m n, 64]."""
    h, w = x.shape
    return x.reshape(h // 8, 8, w // 8, 8).swapaxes(1, 2).reshape(-1, 64)


def _plane(blocks: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """The inverse of `_blocks`."""
    h, w = shape
    return blocks.reshape(h // 8, w // 8, 8, 8).swapaxes(1, 2).reshape(h, w)


def _doubled(x: jax.Array, size: Size) -> jax.Array:
    """[2 H, 2 W] of [H, W]: 3/4 of the pixel and 1/4 of the neighbour, along either axis."""
    x = extend(x[..., None], 1, "replicate", size)[..., 0]
    near = 0.75 * x[1:-1]
    x = jnp.stack([near + 0.25 * x[:-2], near + 0.25 * x[2:]], axis=1).reshape(-1, x.shape[1])
    near = 0.75 * x[:, 1:-1]
    return jnp.stack([near + 0.25 * x[:, :-2], near + 0.25 * x[:, 2:]], axis=2).reshape(len(x), -1)
