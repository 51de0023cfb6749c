"""Several losses as one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

Loss = Callable[[jax.Array, jax.Array], jax.Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class WeightedSum:
    """A loss `(sr, hr) -> scalar`, the sum of weight * term, whose terms can be had one by one.

    As a pytree its leaves are the parameters of the terms that have some, so that a fixed network
    can be an argument of a compiled program instead of a constant in it.
    """

    terms: tuple[Partial, ...]
    weights: tuple[float, ...] = field(metadata={"static": True})
    names: tuple[str, ...] = field(metadata={"static": True})  # () where there is but one

    def __call__(self, sr: jax.Array, hr: jax.Array) -> jax.Array:
        return self.total(self.each(sr, hr))

    def each(self, sr: jax.Array, hr: jax.Array) -> jax.Array:
        """The value of every term before it is weighted, [K]."""
        return jnp.stack([term(sr, hr) for term in self.terms])

    def total(self, values: jax.Array) -> jax.Array:
        """The weighted sum of [K] values."""
        return jnp.sum(values * jnp.asarray(self.weights, values.dtype))

    def named(self, values: jax.Array) -> dict[str, jax.Array]:
        """[K] values by the names of their terms, as a log shows them: "loss/l1"."""
        return {f"loss/{name}": values[k] for k, name in enumerate(self.names)}


def as_weighted_sum(loss: Loss) -> WeightedSum:
    """Any loss as a sum; an ordinary one is its only term and has no name."""
    return loss if isinstance(loss, WeightedSum) else WeightedSum((_as_pytree(loss),), (1.0,), ())


def weighted_sum(losses: dict[str, tuple[float, Loss]]) -> WeightedSum:
    """The sum of {name: (weight, loss)}."""
    weights, terms = zip(*losses.values(), strict=True)
    return WeightedSum(tuple(map(_as_pytree, terms)), weights, tuple(losses))


def _as_pytree(loss: Any) -> Partial:
    return loss if isinstance(loss, Partial) else Partial(loss)
