"""LPIPS, a distance of deep features."""

import functools

import jax
import jax.numpy as jnp

from jaxsr.errors import InputError, nearest
from jaxsr.vision import Params, weights
from jaxsr.vision.compare import feature_pairs
from jaxsr.vision.networks import TRUNKS

_NETWORKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
_EPS = 1e-10  # outside the root, as published: no gradient where all channels are 0


def lpips(sr: jax.Array, hr: jax.Array, *, network: str = "alex") -> jax.Array:
    """Learned perceptual image patch similarity, version 0.1: 0 for equal images, then upwards.

    Zhang et al. 2018, https://arxiv.org/abs/1801.03924: the sum over the taps of a trunk of the
    mean over positions of sum_c w_c (x_c / |x| - y_c / |y|)^2, x and y the features of SR and HR.

    Args:
      sr, hr: [N, H, W, 3] of the same shape, RGB, float in [0, 1] or uint8; one channel is gray.
        Sides of at least 31 for "alex", 16 for "vgg", 17 for "squeeze".
      network: "alex", the usual one, "vgg" or "squeeze".

    Returns:
      [N], float32.

    Raises:
      InputError: for another network, or if its weights are not on this machine.
      ValueError: if the shapes differ or are not such.
    """
    if network not in _NETWORKS:
        raise InputError(f"unknown network '{network}' of LPIPS{nearest(network, _NETWORKS)}")
    heads = weights.loaded(f"lpips_{network}")
    return _lpips(weights.loaded(_NETWORKS[network]), heads, sr, hr, network)


@functools.partial(jax.jit, static_argnames="network")
def _lpips(params: Params, heads: Params, sr: jax.Array, hr: jax.Array, network: str) -> jax.Array:
    trunk = TRUNKS[_NETWORKS[network]]
    total = jnp.zeros(sr.shape[0])
    for i, (x, y) in enumerate(feature_pairs(trunk, params, sr, hr, trunk.taps)):
        per_channel = jnp.mean(jnp.square(_unit(x) - _unit(y)), axis=(1, 2))
        total += jnp.sum(per_channel * heads[f"lin{i}"][None], axis=-1)
    return total


def _unit(x: jax.Array) -> jax.Array:
    """Features with the length of each position's vector divided out."""
    return x / (jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True)) + _EPS)
