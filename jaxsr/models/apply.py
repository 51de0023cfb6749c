"""Applying any model to any LR image."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp


def enlarge(model: Any, variables: Any, lr: jax.Array) -> jax.Array:
    """`model.apply(variables, lr)` for gray images too.

    An RGB network sees gray as three equal channels; the mean of what it returns is the gray
    result, so that gray stays gray.

    Args:
      lr: [N, H, W, 1 or 3], float in [0, 1].

    Returns:
      [N, scale * H, scale * W, same channels], float32, not clipped.
    """
    if model.colour == "rgb" and lr.shape[-1] == 1:
        sr = model.apply(variables, jnp.repeat(lr, 3, axis=-1))
        return jnp.mean(sr, axis=-1, keepdims=True)
    return model.apply(variables, lr)


def takes_train(model: Any) -> bool:
    """Whether the network behaves differently in training: batch norm, dropped paths."""
    return "train" in inspect.signature(type(model).__call__).parameters
