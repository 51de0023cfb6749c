"""What Wang's and Zhao's structural similarities are made of: local moments and their ratios.

Shared by the measures and the losses, which differ in range, windows and bounds. Images are planes
here, [N, C, H, W]: long rows are what vector units like.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Wang, Bovik, Sheikh, Simoncelli 2004, https://doi.org/10.1109/TIP.2003.819861
WINDOW, SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03
# Wang, Simoncelli, Bovik 2003, https://doi.org/10.1109/ACSSC.2003.1292216; the finest scale first.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

# [..., H, W] -> weighted means under a window wherever it fits, [..., H - k + 1, W - k + 1].
Window = Callable[[jax.Array], jax.Array]


class Moments(NamedTuple):
    """Local means, biased variances and covariance of x and y."""

    mx: jax.Array
    my: jax.Array
    vx: jax.Array
    vy: jax.Array
    cov: jax.Array


def planes(x: jax.Array) -> jax.Array:
    """[N, H, W, C] -> [N, C, H, W]."""
    return jnp.moveaxis(x, -1, 1)


def gaussian(width: int, sigma: float) -> np.ndarray:
    """The weights [width] of sum 1 whose outer product is the Gaussian window."""
    offset = np.arange(width) - (width - 1) / 2
    taps = np.exp(-(offset**2) / (2 * sigma**2))
    return taps / taps.sum()


def shifted_window(taps: np.ndarray) -> Window:
    """Means as sums of shifted copies: on CPU four times as fast on whole images as the products
    of `banded_window`, but their gradient takes long to compile."""

    def means(x: jax.Array) -> jax.Array:
        for axis in (-2, -1):
            size = x.shape[axis] - len(taps) + 1
            shifted = (
                float(weight) * jax.lax.slice_in_dim(x, i, i + size, axis=axis)
                for i, weight in enumerate(taps)
            )
            x = functools.reduce(operator.add, shifted)
        return x

    return means


def banded_window(taps: np.ndarray) -> Window:
    """Means as products with two banded matrices: for patches, wide windows and gradients."""

    def means(x: jax.Array) -> jax.Array:
        rows, columns = (_band(taps, size, x.dtype) for size in x.shape[-2:])
        x = jnp.einsum("ph,...hw->...pw", rows, x, precision=jax.lax.Precision.HIGHEST)
        return jnp.einsum("qw,...pw->...pq", columns, x, precision=jax.lax.Precision.HIGHEST)

    return means


def _band(taps: np.ndarray, size: int, dtype: Any) -> np.ndarray:
    """[size - k + 1, size]: in each row the weights of a window, one pixel on from row to row."""
    band = np.zeros((size - len(taps) + 1, size), dtype)
    for i, weight in enumerate(taps):
        np.fill_diagonal(band[:, i:], weight)
    return band


def moments(x: jax.Array, y: jax.Array, window: Window) -> Moments:
    """Of planes [N, C, H, W], float32 or float64 of any range; each as large as the window's."""
    # About the mean: float32 cannot hold E[x^2] - E[x]^2 of bright flat regions.
    centre = jnp.mean(y, axis=(1, 2, 3), keepdims=True)
    x, y = x - centre, y - centre
    mx, my, xx, yy, xy = window(jnp.stack([x, y, x * x, y * y, x * y]))
    return Moments(mx + centre, my + centre, xx - mx * mx, yy - my * my, xy - mx * my)


def luminance(m: Moments, peak: float) -> jax.Array:
    """l: how alike the local means are, up to 1."""
    c1 = (_K1 * peak) ** 2
    return (2 * m.mx * m.my + c1) / (m.mx * m.mx + m.my * m.my + c1)


def contrast(m: Moments, peak: float) -> jax.Array:
    """cs: how alike contrast and structure are, up to 1; negative where they are opposed."""
    c2 = (_K2 * peak) ** 2
    return (2 * m.cov + c2) / (m.vx + m.vy + c2)


def mean_ssim(x: jax.Array, y: jax.Array, window: Window, peak: float) -> jax.Array:
    """SSIM of every plane, [N, C]: the mean of l cs."""
    m = moments(x, y, window)
    return jnp.mean(luminance(m, peak) * contrast(m, peak), axis=(2, 3))


def scale_means(
    x: jax.Array, y: jax.Array, scales: int, window: Window, peak: float
) -> list[jax.Array]:
    """The factors of MS-SSIM, each [N, C]: the mean of cs at the finer scales, SSIM at the last.

    From one scale to the next, planes are averaged over 2x2 pixels; the last line of an odd side
    is averaged with its mirror image.
    """
    means = []
    for _ in range(scales - 1):
        means.append(jnp.mean(contrast(moments(x, y, window), peak), axis=(2, 3)))
        x, y = _halve(x), _halve(y)
    return [*means, mean_ssim(x, y, window, peak)]


def smallest_side(scales: int) -> int:
    """What `scales` scales need a side, so that the window fits into the last: Wang's 176 for 5."""
    return WINDOW * 2 ** (scales - 1)


def _halve(x: jax.Array) -> jax.Array:
    n, c, h, w = x.shape
    x = jnp.pad(x, ((0, 0), (0, 0), (0, h % 2), (0, w % 2)), mode="edge")
    return jnp.mean(x.reshape(n, c, (h + 1) // 2, 2, (w + 1) // 2, 2), axis=(3, 5))
