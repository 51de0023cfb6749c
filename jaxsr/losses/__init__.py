"""Losses: `(sr, hr) -> scalar`, on NHWC floats in [0, 1]."""

from collections.abc import Callable

import jax

from jaxsr.errors import InputError, nearest
from jaxsr.losses.pixel import charbonnier, charbonnier_sum, euclidean, l1, mse

Loss = Callable[[jax.Array, jax.Array], jax.Array]

LOSSES: dict[str, Loss] = {
    "l1": l1,
    "mse": mse,
    "charbonnier": charbonnier,
    "charbonnier_sum": charbonnier_sum,
    "euclidean": euclidean,
}


def get_loss(name: str) -> Loss:
    """The loss of that name; InputError for an unknown one."""
    if name not in LOSSES:
        raise InputError(f"unknown loss '{name}'{nearest(name, LOSSES)}")
    return LOSSES[name]


__all__ = [
    "LOSSES",
    "Loss",
    "charbonnier",
    "charbonnier_sum",
    "euclidean",
    "get_loss",
    "l1",
    "mse",
]
