"""DISTS, a distance of deep features that forgives texture its exact place."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxsr.vision import Params, weights
from jaxsr.vision.compare import clipped_pair, feature_pairs
from jaxsr.vision.vgg import VGG16

_EPS = 1e-6  # of the two similarities
_POOL_EPS = 1e-12


def dists(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Deep image structure and texture similarity: 0 for equal images (to 1e-6), then upwards.

    Ding et al. 2020, https://arxiv.org/abs/2004.07728, in the form of their PyTorch code. Of each
    channel of the image and of VGG16's five taps, with L2 instead of max pooling, the means are
    compared as SSIM's luminance (weight alpha) and the covariance as its structure (beta).
    Images are taken at their own size; the authors' script, not their module, first makes the
    shorter side 256.

    Args:
      sr, hr: [N, H, W, 3] of the same shape, RGB, float in [0, 1] or uint8; one channel is gray.

    Returns:
      [N], float32.

    Raises:
      InputError: if the weights "vgg16" or "dists" are not on this machine.
      ValueError: if the shapes differ or are not such.
    """
    return _dists(weights.loaded("vgg16"), weights.loaded("dists"), sr, hr)


def _layer(params: Params, name: str, x: jax.Array) -> jax.Array:
    return _l2_pool(x) if name.startswith("pool") else VGG16.layer(params, name, x)


_TRUNK = dataclasses.replace(VGG16, layer=_layer)


@jax.jit
def _dists(params: Params, heads: Params, sr: jax.Array, hr: jax.Array) -> jax.Array:
    pairs = [clipped_pair(sr, hr), *feature_pairs(_TRUNK, params, sr, hr, _TRUNK.taps)]
    similar = zip(*(_similarities(x, y) for x, y in pairs), strict=True)
    means, structures = (jnp.concatenate(parts, axis=-1) for parts in similar)
    alpha, beta = heads["alpha"], heads["beta"]
    weighted = jnp.sum(alpha[None] * means + beta[None] * structures, axis=-1)
    return 1.0 - weighted / jnp.sum(alpha + beta)


def _similarities(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of the means and of the deviations from them, each [N, C]."""
    mx, my = jnp.mean(x, axis=(1, 2), keepdims=True), jnp.mean(y, axis=(1, 2), keepdims=True)
    x, y = x - mx, y - my
    vx, vy = jnp.mean(jnp.square(x), axis=(1, 2)), jnp.mean(jnp.square(y), axis=(1, 2))
    covariance = jnp.mean(x * y, axis=(1, 2))
    mx, my = mx[:, 0, 0], my[:, 0, 0]
    return (
        (2 * mx * my + _EPS) / (mx * mx + my * my + _EPS),
        (2 * covariance + _EPS) / (vx + vy + _EPS),
    )


def _l2_pool(x: jax.Array) -> jax.Array:
    """The root of every second Gaussian-like mean (1 2 1 / 4 both ways) of squares."""
    x = jnp.square(x)
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (1, 1)
        padded = jnp.pad(x, pad)
        end = padded.shape[axis]
        left, middle, right = (
            jax.lax.slice_in_dim(padded, i, end - 2 + i, 2, axis) for i in range(3)
        )
        x = (left + 2 * middle + right) / 4
    return jnp.sqrt(x + _POOL_EPS)
