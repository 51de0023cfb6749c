"""How the outputs that a network supervises besides SR enter the objective.

A network hands them out by `self.sow("supervised", "sr", y)`; SR itself is not among them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.image.resize import imresize
from jaxsr.losses import Loss

# (loss, SR, HR, the other outputs, steps done) -> the objective: a scalar, or [K] if the loss is K
Supervision = Callable[[Loss, jax.Array, jax.Array, Sequence[jax.Array], Any], jax.Array]


def get_supervision(kind: str, anneal_steps: int = 0) -> Supervision | None:
    """The supervision of a config's `supervision` and `anneal_steps`; None for "none"."""
    if kind == "none":
        return None
    if kind == "sum":
        return _sum
    return lambda *arguments: _anneal(anneal_steps, *arguments)


def _sum(
    loss: Loss, sr: jax.Array, hr: jax.Array, outputs: Sequence[jax.Array], step: Any
) -> jax.Array:
    """Every output counts as much as SR (MemNet, LapSRN)."""
    del step
    return loss(sr, hr) + sum(_losses(loss, hr, outputs))


def _anneal(
    steps: int, loss: Loss, sr: jax.Array, hr: jax.Array, outputs: Sequence[jax.Array], step: Any
) -> jax.Array:
    """alpha * mean over the outputs + (1 - alpha) * SR's, alpha falling from 1 to 0 over `steps`.

    Kim et al. 2016 (DRCN), equation 7, https://arxiv.org/abs/1511.04491.
    """
    alpha = jnp.maximum(0.0, 1.0 - step / steps)
    others = sum(_losses(loss, hr, outputs)) / len(outputs)
    return alpha * others + (1.0 - alpha) * loss(sr, hr)


def _losses(loss: Loss, hr: jax.Array, outputs: Sequence[jax.Array]) -> list[jax.Array]:
    """Of outputs of another size (LapSRN's inner levels) against HR resized by bicubic."""
    return [loss(y, _resized(hr, y.shape[1:3])) for y in outputs]


def _resized(hr: jax.Array, size: tuple[int, ...]) -> jax.Array:
    height, width = size
    if hr.shape[1:3] == (height, width):
        return hr
    return imresize(hr, shape=(height, width), edge="replicate")  # as LR is made
