"""The contextual loss on feature maps: similar features need not lie in the same place."""

import jax
import jax.numpy as jnp

from jaxsr.losses.inputs import widened

_EPS = 1e-5  # the paper's, in the relative distance
_TINY = 1e-12


def contextual(sr: jax.Array, hr: jax.Array, *, bandwidth: float = 0.5) -> jax.Array:
    """-log CX of two feature maps [N, H, W, C], averaged over the images; scalar, at least 0.

    With the features x_i of SR and y_j of HR minus HR's mean, and d_ij = 1 - cos(x_i, y_j):

        d~_ij = d_ij / (min_k d_ik + 1e-5)
        CX_ij = softmax over j of (1 - d~_ij) / bandwidth
        CX = mean over j of max_i CX_ij

    Mechrez et al. 2018, https://arxiv.org/abs/1803.02077, equations 1 to 4. HR's mean is each
    image's own, so that a batch is the mean of its images. Memory is that of (H W)^2 numbers an
    image: deep or pooled features, not pixels.
    """
    sr, hr = widened(sr, hr)
    n, h, w, c = hr.shape
    x, y = sr.reshape(n, h * w, c), hr.reshape(n, h * w, c)
    centre = jnp.mean(y, axis=1, keepdims=True)
    cosine = jnp.einsum(
        "nic,njc->nij", _unit(x - centre), _unit(y - centre), precision=jax.lax.Precision.HIGHEST
    )
    distance = jax.nn.relu(1.0 - cosine)  # rounding may give a cosine above 1
    relative = distance / (jnp.min(distance, axis=2, keepdims=True) + _EPS)
    similarity = jax.nn.softmax((1.0 - relative) / bandwidth, axis=2)
    return -jnp.mean(jnp.log(jnp.mean(jnp.max(similarity, axis=1), axis=1)))


def _unit(x: jax.Array) -> jax.Array:
    """Vectors of length 1; a zero vector stays one, and its gradient finite."""
    return x / jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True) + _TINY)
