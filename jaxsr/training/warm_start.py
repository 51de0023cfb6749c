"""`init_from`: a run that starts from other weights."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.errors import InputError
from jaxsr.training.checkpoint import load_model
from jaxsr.training.digests import named, nested
from jaxsr.training.state import TrainState, shapes


def read_start(path: str, model: Any, say: Callable[[str], None]) -> dict[str, Any]:
    """The variables of a run folder (its best checkpoint) or of a weights file.

    Args:
      path: of either.
      model: the network that is to start from them.
      say: gets one line for each checkpoint that is not whole.

    Raises:
      InputError: for a path that is neither or cannot be read, or if no parameter in it fits.
    """
    if Path(path).is_dir():
        variables = load_model(Path(path), warn=say)[1]
    else:
        from jaxsr.interop.weights import load_weights_file

        variables = load_weights_file(path, any_scale=True)[1]
    if not any(name.startswith("params/") for name in _fitting(shapes(model), variables)):
        raise InputError(f"config.init_from: {path} holds no tensor that fits this model")
    return variables


def start_from(
    state: TrainState, variables: dict[str, Any], path: str, say: Callable[[str], None]
) -> TrainState:
    """A fresh state with every parameter and statistic that has its like in `variables`.

    Like means of the same path and shape, as the trunk of a network at another scale.

    Args:
      state: its average of the parameters starts from what they become.
      path: where `variables` are from, for messages.
      say: told how many tensors were taken.
    """
    wanted = {"params": state.params, "batch_stats": state.batch_stats}
    fresh, taken = named(wanted), _fitting(wanted, variables)
    left = [name for name in fresh if name not in taken]
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    stay = f"; these start afresh: {', '.join(left[:3])}{more}" if left else ""
    say(f"starting from {path}: {len(taken)} of {len(fresh)} tensors{stay}")
    merged = nested({k: jnp.asarray(taken.get(k, v), v.dtype) for k, v in fresh.items()})
    params = merged["params"]
    return dataclasses.replace(
        state,
        params=params,
        batch_stats=merged.get("batch_stats", {}),
        ema=jax.tree.map(jnp.copy, params) if state.ema else {},
    )


def _fitting(wanted: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The given tensors, by name, whose like is wanted."""
    fresh, found = named(wanted), named(given)
    return {k: found[k] for k, v in fresh.items() if k in found and found[k].shape == v.shape}
