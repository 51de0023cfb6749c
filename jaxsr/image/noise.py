"""Noise on one image [H, W, C] in [0, 1]: every function returns x plus the noise, not clipped.

`gray` (a bool, may be traced) asks for the same random field on all channels. An image draws the
same numbers alone and, with its key, under `jax.vmap`.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.image.canvas import Size, size_of

# Below this rate a sum over all counts, above it the expansion: see `poisson_quantile`.
_LARGE = 6.0
_MOST = 23  # no smaller rate exceeds this count with the uniforms of 23 bits that JAX draws


def gaussian_noise(
    key: jax.Array, x: jax.Array, sigma: float | jax.Array, *, gray: bool | jax.Array = False
) -> jax.Array:
    """Adds white Gaussian noise of standard deviation sigma (1 = the whole range)."""
    return x + sigma * _shared(_field(jax.random.normal, key, x.shape), gray)


def correlated_noise(key: jax.Array, x: jax.Array, covariance: jax.Array) -> jax.Array:
    """Adds Gaussian noise that is white in space and has this [C, C] covariance over channels.

    The covariance may be singular: a millionth of its trace is added to the diagonal.
    """
    c = x.shape[-1]
    jitter = 1e-6 * jnp.trace(covariance) + 1e-20
    root = jnp.linalg.cholesky(covariance + jitter * jnp.eye(c, dtype=jnp.float32))
    white = _field(jax.random.normal, key, x.shape)
    return x + jnp.einsum("hwc,dc->hwd", white, root, precision=jax.lax.Precision.HIGHEST)


def speckle_noise(
    key: jax.Array, x: jax.Array, sigma: float | jax.Array, *, gray: bool | jax.Array = False
) -> jax.Array:
    """Adds x times white Gaussian noise of standard deviation sigma."""
    return x + x * (sigma * _shared(_field(jax.random.normal, key, x.shape), gray))


def poisson_noise(
    key: jax.Array,
    x: jax.Array,
    scale: float | jax.Array,
    *,
    gray: bool | jax.Array = False,
    size: Size | None = None,
) -> jax.Array:
    """Adds `scale` times the shot noise of the image at its own number of levels (Real-ESRGAN).

    With I = x rounded to 8 bits and V the smallest power of two that is no less than the number
    of distinct values in I (over all channels): the noise is Poisson(V I) / V - I. If `gray`, I
    is the luma 0.299 R + 0.587 G + 0.114 B, likewise rounded.

    Args:
      x: [H, W, 1] or [H, W, 3] in [0, 1].
      scale: factor of the noise, 1 for that of the counts.
      size: of the picture in x whose values are counted, see `jaxsr.image.canvas`.
    """
    levels = jnp.where(gray, _levels(_luma(x)), _levels(x))
    values = _power_of_two(_distinct(levels, size)).astype(jnp.float32)
    clean = levels.astype(jnp.float32) / 255.0
    u = _shared(_field(jax.random.uniform, key, x.shape), gray)
    # One channel after the other: XLA on CPU vectorises along the last axis only, and so much
    # arithmetic not at all where that has three entries (10 times slower).
    u, rate = jnp.moveaxis(u, -1, 0), jnp.moveaxis(values * clean, -1, 0)
    counts = jnp.moveaxis(jax.lax.map(lambda c: poisson_quantile(*c), (u, rate)), 0, -1)
    return x + scale * (counts / values - clean)


def poisson(key: jax.Array, rate: jax.Array) -> jax.Array:
    """Poisson counts, float32, of any shape of rates from 0 to some 10^5.

    One uniform per count, see `poisson_quantile`: much cheaper than the rejection loops of
    `jax.random.poisson`.
    """
    return poisson_quantile(jax.random.uniform(key, jnp.shape(rate)), rate)


@jax.jit
def poisson_quantile(u: jax.Array, rate: jax.Array) -> jax.Array:
    """The smallest count whose cumulative probability at `rate` reaches u (0 <= u < 1).

    Up to rate 6 by summing the probabilities. Above, by the Cornish-Fisher expansion, with
    Sheppard's corrections, of the continuous x whose integer part is the count, up to the order
    rate^-2. That moves no cumulative probability by more than 1e-4 (5e-5 at rate 6, ever less
    above), and at most one draw in 5000 gets a neighbouring count; beyond rate 5000, where float32
    tells counts apart less and less well, one in 2000.
    """
    return jnp.where(rate < _LARGE, _by_sum(u, rate), _by_expansion(u, rate))


def _by_sum(u: jax.Array, rate: jax.Array) -> jax.Array:
    term = jnp.exp(-rate)
    below = term
    count = jnp.zeros_like(term)
    for k in range(1, _MOST + 1):
        count = jnp.where(below < u, float(k), count)
        term = term * (rate * (1.0 / k))
        below = below + term
    return count


def _by_expansion(u: jax.Array, rate: jax.Array) -> jax.Array:
    w = math.sqrt(2.0) * jax.scipy.special.erfinv(2.0 * jnp.maximum(u, 2.0**-24) - 1.0)
    s = w * w
    terms = (  # of rate^0, rate^-1/2, rate^-1 ...
        s / 6 + 1 / 3,
        w * (-s / 72 - 1 / 36),
        s * (s / 270 + 7 / 810) - 8 / 405,
        w * (s * (s * (-23 / 17280) - 137 / 38880) + 671 / 38880),
        s * (s * (s * (19 / 34020) + 5 / 3024) - 5189 / 408240) - 16 / 25515,
    )
    root = jnp.sqrt(jnp.maximum(rate, _LARGE))
    correction = functools.reduce(lambda total, term: total / root + term, reversed(terms))
    # In this order, as the last digits of a large rate are coarse.
    return jnp.maximum(jnp.floor(rate + (root * w + correction)), 0.0)


def _field(draw: Callable[..., jax.Array], key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """`draw(key, shape)`, as one vector: twice as fast on CPU as along an axis of channels."""
    return draw(key, (math.prod(shape),), jnp.float32).reshape(shape)


def _shared(field: jax.Array, gray: bool | jax.Array) -> jax.Array:
    """The field, or its first channel on all channels."""
    return jnp.where(gray, field[..., :1], field)


def _luma(x: jax.Array) -> jax.Array:
    if x.shape[-1] == 1:
        return x
    return 0.299 * x[..., :1] + 0.587 * x[..., 1:2] + 0.114 * x[..., 2:]


def _levels(x: jax.Array) -> jax.Array:
    """The nearest of 0..255, int32."""
    return jnp.round(jnp.clip(x, 0.0, 1.0) * 255.0).astype(jnp.int32)


def _distinct(levels: jax.Array, size: Size | None) -> jax.Array:
    """How many of the 256 levels occur in the picture, int32."""
    h, w = size_of(levels, size)
    rows, columns = jnp.arange(levels.shape[0]) < h, jnp.arange(levels.shape[1]) < w
    inside = rows[:, None, None] & columns[None, :, None]
    seen = jnp.zeros(256, bool).at[jnp.where(inside, levels, levels[0, 0, 0])].set(True)
    return jnp.sum(seen, dtype=jnp.int32)


def _power_of_two(n: jax.Array) -> jax.Array:
    """The smallest power of two that is no less than n >= 1."""
    return jnp.int32(1) << (32 - jax.lax.clz(n - 1))
