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
from jaxsr.training.state import TrainState


def read_start(path: str) -> dict[str, Any]:
    """The variables of a run folder (its best checkpoint) or of a weights file.

    Raises:
      InputError: for a path that is neither, or cannot be read.
    """
    if Path(path).is_dir():
        return load_model(Path(path))[1]
    from jaxsr.interop.weights import load_weights_file

    return load_weights_file(path, any_scale=True)[1]


def start_from(
    state: TrainState, variables: dict[str, Any], path: str, say: Callable[[str], None]
) -> TrainState:
    """A fresh state with every parameter and statistic that has its like in `variables`.

    Like means of the same path and shape, as the trunk of a network at another scale.

    Args:
      state: its average of the parameters starts from what they become.
      path: where `variables` are from, for messages.
      say: told how many tensors were taken.

    Raises:
      InputError: if no parameter fits.
    """
    fresh = named({"params": state.params, "batch_stats": state.batch_stats})
    given = named({name: variables.get(name, {}) for name in ("params", "batch_stats")})
    taken = {k: given[k] for k, v in fresh.items() if k in given and given[k].shape == v.shape}
    if not any(name.startswith("params/") for name in taken):
        raise InputError(f"config.init_from: {path} holds no tensor that fits this model")
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
