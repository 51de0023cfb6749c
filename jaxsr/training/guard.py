"""Which updates are skipped: those that are not finite, and those of outliers of the loss."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.training.config import GuardConfig

_YOUNG = 20  # accepted steps before a mean is worth anything
_DECAY = 0.99  # of the mean


def create_guard(config: GuardConfig) -> dict[str, jax.Array]:
    """What a step remembers of those before it: the mean of |loss|, and of how many; or nothing."""
    if not config.spike:
        return {}
    return {"mean": jnp.zeros(()), "accepted": jnp.zeros((), jnp.int32)}


def accept(
    config: GuardConfig, guard: dict[str, jax.Array], loss: jax.Array, *finite: jax.Array
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Whether the update of a step is to be made, a boolean scalar, and the guard after it.

    Args:
      loss: of which an outlier is skipped: more than `config.spike` times the running mean of its
        size.
      *finite: scalars that must be finite, as the loss must.
    """
    fine = jnp.all(jnp.isfinite(jnp.stack([loss, *finite])))
    if not config.spike:
        return fine, guard
    mean, count = guard["mean"], guard["accepted"]
    fine &= (count < _YOUNG) | (jnp.abs(loss) <= config.spike * mean)
    decay = jnp.minimum(_DECAY, count / (count + 1.0))
    moved = mean + (1 - decay) * (jnp.abs(loss) - mean)
    return fine, choose(fine, {"mean": moved, "accepted": count + 1}, guard)


def choose(condition: jax.Array, new: Any, old: Any) -> Any:
    """The one tree or the other; NaN in the one that is not taken does no harm."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
