"""JPEG as a function: what libjpeg's coder and decoder make of a picture, without the bits.

Entropy coding loses nothing, so it is left out.
"""

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


def _dct() -> np.ndarray:
    """The orthonormal DCT of an 8 x 8 block in row-major order: [64, 64], frequency first."""
    u, i = np.arange(8)[:, None], np.arange(8)[None]
    line = np.sqrt(np.where(u == 0, 1, 2) / 8) * np.cos((2 * i + 1) * u * np.pi / 16)
    return np.kron(line, line).astype(np.float32)


_DCT = _dct()


def soft_round(x: jax.Array) -> jax.Array:
    """round(x) + (x - round(x))^3, a rounding whose slope is not zero (Shin and Song, 2017)."""
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
    by the rounding inside its integer DCT, and in pictures less than 5 pixels wide, whose chroma
    it repeats.

    Args:
      x: [H, W, 1 or 3] in [0, 1]; what exceeds the range is clipped.
      quality: 1 to 100, real; clipped to that range, as libjpeg does.
      size: of the picture, if it is smaller than x, see `canvas`.
      rounding: of the quantised coefficients. With jnp.round, all else that libjpeg holds in 8
        bits is rounded, too (the picture before and after, and YCbCr); with any other, such as
        `soft_round`, nothing else is, and the result is differentiable in x.

    Returns:
      Like x, in [0, 1].

    Raises:
      ValueError: for another number of channels.
    """
    if x.ndim != 3 or x.shape[-1] not in (1, 3):
        raise ValueError(f"expected [H, W, 1 or 3], got shape {x.shape}")
    levels = jnp.round if rounding is jnp.round else lambda x: x
    height, width = x.shape[:2]
    h, w = size_of(x, size)
    unit = 8 if x.shape[-1] == 1 else 16
    x = extend(x, ((0, -height % unit), (0, -width % unit)), "replicate", size)
    x = levels(255.0 * jnp.clip(x, 0.0, 1.0))

    def coded(plane: jax.Array, table: np.ndarray) -> jax.Array:
        step = quantisation(table, quality).reshape(1, 64)
        blocks = _product(_blocks(plane) - 128.0, _DCT.T)
        blocks = _product(rounding(blocks / step) * step, _DCT) + 128.0
        return levels(jnp.clip(_planes(blocks, plane.shape), 0.0, 255.0))

    if x.shape[-1] == 1:
        y = coded(x[..., 0], LUMA_TABLE)
        return y[:height, :width, None] / 255.0
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    y = coded(levels(0.299 * r + 0.587 * g + 0.114 * b), LUMA_TABLE)
    halves = (h + 1) // 2, (w + 1) // 2

    def chroma(plane: jax.Array) -> jax.Array:
        pairs = levels(plane).reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2)
        small = coded(levels(jnp.mean(pairs, axis=(1, 3))), CHROMA_TABLE)
        return levels(_doubled(small, halves)) - 128.0

    cb = chroma(-0.168735892 * r - 0.331264108 * g + 0.5 * b + 128.0)
    cr = chroma(0.5 * r - 0.418687589 * g - 0.081312411 * b + 128.0)
    rgb = [y + 1.402 * cr, y - 0.344136286 * cb - 0.714136286 * cr, y + 1.772 * cb]
    rgb = jnp.stack([channel[:height, :width] for channel in rgb], axis=-1)
    return jnp.clip(levels(rgb), 0.0, 255.0) / 255.0


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


def _planes(blocks: jax.Array, shape: tuple[int, ...]) -> jax.Array:
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
