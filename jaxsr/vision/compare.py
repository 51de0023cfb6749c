"""Results and truths, and their features, as measures compare them."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxsr.image.colour import to_float
from jaxsr.vision.trunk import Params, Trunk

Pair = tuple[jax.Array, jax.Array]


def clipped_pair(sr: jax.Array, hr: jax.Array) -> Pair:
    """Both as RGB floats in [0, 1], clipped.

    Args:
      sr, hr: [N, H, W, 3] of the same shape, float or uint8; one channel is gray.

    Raises:
      ValueError: if they are not.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"SR and HR differ in shape: {sr.shape} and {hr.shape}")
    if sr.ndim != 4 or sr.shape[-1] not in (1, 3):
        raise ValueError(f"expected [N, H, W, 1 or 3], got shape {sr.shape}")
    shape = (*sr.shape[:3], 3)
    x, y = (jnp.broadcast_to(jnp.clip(to_float(x), 0.0, 1.0), shape) for x in (sr, hr))
    return x, y


def feature_pairs(
    trunk: Trunk, params: Params, sr: jax.Array, hr: jax.Array, layers: Sequence[str]
) -> list[Pair]:
    """The features of SR and of HR at each layer; arguments and errors as `clipped_pair`.

    Both go through the trunk in one batch, in full float32 precision on every device.
    """
    n = sr.shape[0]
    with jax.default_matmul_precision("highest"):
        features = trunk(params, jnp.concatenate(clipped_pair(sr, hr)), layers)
    return [(features[name][:n], features[name][n:]) for name in layers]
