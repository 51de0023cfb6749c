"""Pixel losses, and those of neighbouring pixels; in float32."""

import jax
import jax.numpy as jnp

from jaxsr.losses.inputs import magnitude, widened

_EPS = 1e-6  # the square of LapSRN's epsilon, 1e-3


def mse(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean squared error of two images of the same shape; scalar."""
    return jnp.mean(jnp.square(_difference(sr, hr)))


def l1(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean absolute error; its gradient is 0 where both are equal (`jnp.abs` would give 1)."""
    return jnp.mean(magnitude(_difference(sr, hr)))


def charbonnier(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean of sqrt(d^2 + 1e-6), l1 made smooth; d = SR - HR.

    Charbonnier et al. 1994; for super-resolution Lai et al. 2017,
    https://arxiv.org/abs/1704.03915.
    """
    return jnp.mean(jnp.sqrt(jnp.square(_difference(sr, hr)) + _EPS))


def charbonnier_sum(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """`charbonnier` as its authors' code has it: summed over an image, averaged over images."""
    return charbonnier(sr, hr) * (sr.size / sr.shape[0])


def euclidean(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Caffe's "EuclideanLoss", which its learning rates go with: sum of d^2 / 2 over N images."""
    return mse(sr, hr) * (sr.size / (2 * sr.shape[0]))


def huber(sr: jax.Array, hr: jax.Array, *, delta: float = 0.1) -> jax.Array:
    """Mean of d^2 / 2 where |d| < delta, of delta (|d| - delta / 2) elsewhere; d = SR - HR.

    Huber 1964, https://doi.org/10.1214/aoms/1177703732. PyTorch's and optax' delta of 1 would
    make it half the squared error: images in [0, 1] hardly differ by more.
    """
    size = magnitude(_difference(sr, hr))
    near = jnp.minimum(size, delta)
    return jnp.mean(near * (size - near / 2))


def tv(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Total variation of SR alone: mean |vertical difference| + mean |horizontal difference|.

    Anisotropic, each mean over its own number of pairs (BasicSR's form); HR is ignored, so this
    is a prior to be added to a loss. Rudin, Osher, Fatemi 1992,
    https://doi.org/10.1016/0167-2789(92)90242-F.
    """
    sr, _ = widened(sr, hr)
    return sum(
        (jnp.mean(magnitude(jnp.diff(sr, axis=axis))) for axis in (1, 2) if sr.shape[axis] > 1),
        jnp.zeros((), sr.dtype),
    )


def gradient(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean |difference of the vertical derivatives| + the same of the horizontal ones.

    Derivatives are Sobel's, 3x3 and not normalised, 0 beyond the border: mmagic's loss, which is
    for gray images, here on every channel.
    """
    d = jnp.pad(_difference(sr, hr), ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(
        (jnp.mean(magnitude(_sobel(d, *axes))) for axes in ((1, 2), (2, 1))),
        jnp.zeros((), d.dtype),
    )


def _sobel(x: jax.Array, along: int, across: int) -> jax.Array:
    """(1, 0, -1) along one axis, (1, 2, 1) across it, over the valid region."""
    n, m = x.shape[along] - 2, x.shape[across] - 2
    x = jax.lax.slice_in_dim(x, 0, n, axis=along) - jax.lax.slice_in_dim(x, 2, n + 2, axis=along)
    a, b, c = (jax.lax.slice_in_dim(x, i, i + m, axis=across) for i in range(3))
    return a + 2 * b + c


def _difference(sr: jax.Array, hr: jax.Array) -> jax.Array:
    sr, hr = widened(sr, hr)
    return sr - hr
