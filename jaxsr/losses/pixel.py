"""Pixel losses, in float32."""

import jax
import jax.numpy as jnp

_EPS = 1e-6  # the square of LapSRN's epsilon, 1e-3


def mse(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean squared error of two images of the same shape; scalar."""
    return jnp.mean(jnp.square(_difference(sr, hr)))


def l1(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean absolute error; its gradient is 0 where both are equal (`jnp.abs` would give 1)."""
    difference = _difference(sr, hr)
    return jnp.mean(difference * jnp.sign(difference))


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


def _difference(sr: jax.Array, hr: jax.Array) -> jax.Array:
    if sr.shape != hr.shape:  # broadcasting would hide the mistake
        raise ValueError(f"SR and HR differ in shape: {sr.shape} and {hr.shape}")
    return sr.astype(jnp.float32) - hr.astype(jnp.float32)
