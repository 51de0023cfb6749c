"""Texture losses on feature maps [N, H, W, C], as those of `jaxsr.vision`; in float32.

What features have in common is told by their Gram matrix: where in the image they are is not.
"""

import jax
import jax.numpy as jnp

from jaxsr.errors import InputError
from jaxsr.losses.inputs import magnitude, widened

_EPS = 1e-8


def gram(features: jax.Array) -> jax.Array:
    """F^T F / (C H W), [N, C, C], of feature maps [N, H, W, C].

    Gatys et al. 2015, https://arxiv.org/abs/1505.07376, normalised as in BasicSR.
    """
    n, h, w, c = features.shape
    positions = features.reshape(n, h * w, c)
    return _products(positions, positions) / (c * h * w)


def gram_l1(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """The mean absolute difference of the Gram matrices of two feature maps; scalar.

    The style loss of Johnson et al. 2016, https://arxiv.org/abs/1603.08155, with the criterion of
    BasicSR.
    """
    sr, hr = widened(sr, hr)
    n, h, w, c = sr.shape
    difference = _gram_difference(sr.reshape(n, h * w, c), hr.reshape(n, h * w, c))
    return jnp.mean(magnitude(difference)) / (c * h * w)


def texture(sr: jax.Array, hr: jax.Array, *, patch: int = 16) -> jax.Array:
    """EnhanceNet's texture loss of two feature maps [N, H, W, C]; scalar.

    Each image's map is divided by its mean; the mean squared difference of the Gram matrices,
    which are not normalised further, over all `patch` x `patch` parts of the maps. Hence values
    of 1e4 and more, and weights of 1e-6. Sajjadi et al. 2017, https://arxiv.org/abs/1612.07919.
    Maps without any activation, for which other implementations give NaN, are left as they are.

    Raises:
      InputError: if height or width is no multiple of `patch`.
    """
    sr, hr = widened(sr, hr)
    if sr.shape[1] % patch or sr.shape[2] % patch:
        raise InputError(
            f"the texture loss needs feature maps whose sides are multiples of {patch}, got "
            f"{sr.shape[1:3]}; take other patches (config.data.patch)"
        )
    return jnp.mean(jnp.square(_gram_difference(_parts(sr, patch), _parts(hr, patch))))


def _parts(features: jax.Array, patch: int) -> jax.Array:
    """[N, parts, positions, C] of the map divided by its mean, in parts side by side."""
    mean = jnp.mean(features, axis=(1, 2, 3), keepdims=True)
    features = features / jnp.where(jnp.abs(mean) < _EPS, 1.0, mean)
    n, h, w, c = features.shape
    parts = features.reshape(n, h // patch, patch, w // patch, patch, c)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(n, -1, patch * patch, c)


def _gram_difference(x: jax.Array, y: jax.Array) -> jax.Array:
    """X^T X - Y^T Y = the symmetric part of (X - Y)^T (X + Y), which is exactly 0 where X = Y."""
    product = _products(x - y, x + y)
    return (product + jnp.swapaxes(product, -1, -2)) / 2


def _products(x: jax.Array, y: jax.Array) -> jax.Array:
    """X^T Y of [..., positions, C]: [..., C, C]."""
    return jnp.einsum("...pc,...pd->...cd", x, y, precision=jax.lax.Precision.HIGHEST)
