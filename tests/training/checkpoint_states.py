"""Filled training states, and folders of checkpoints of them.

The states are filled from their step, so that a restored state tells by itself which one it is.
"""

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsr.training.checkpoint import Checkpoints

CONFIG = {"model": "espcn", "scale": 2, "model_args": {}}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    step: jax.Array
    params: dict
    batch_stats: dict
    opt_state: Any
    ema: dict
    rng: jax.Array


@cache
def state_of(step: int) -> State:
    noise = np.random.default_rng(step)
    params = {
        "conv1": {
            "kernel": jnp.asarray(noise.standard_normal((3, 3, 1, 64)), jnp.float32),
            "bias": jnp.asarray(noise.standard_normal(64), jnp.bfloat16),
        }
    }
    optimiser = optax.chain(optax.clip(1.0), optax.adam(optax.constant_schedule(1e-3)))
    _, opt_state = optimiser.update(params, optimiser.init(params))
    return State(
        step=jnp.int32(step),
        params=params,
        batch_stats={"bn": {"mean": jnp.full(4, step, jnp.float32)}},
        opt_state=opt_state,
        ema=jax.tree.map(lambda x: x + 1, params),
        rng=jax.random.key(step),
    )


def spec_of(step: int) -> dict:
    return {"of": step, "config": CONFIG}


def assert_same(got: Any, want: Any) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for x, y in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert x.dtype == y.dtype
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        assert x.shape == y.shape
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def write(folder: Path, scores: dict[int, float | None]) -> None:
    with Checkpoints(folder, keep_latest=9) as checkpoints:
        for step, score in scores.items():
            metrics = None if score is None else {"psnr": score}
            checkpoints.save(step, state_of(step), spec=spec_of(step), metrics=metrics)


def steps(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def truncate_arrays(step_folder: Path) -> None:
    for path in step_folder.glob("state/**/d/*"):
        os.truncate(path, path.stat().st_size // 2)


def empty(step_folder: Path) -> None:
    shutil.rmtree(step_folder)
    step_folder.mkdir()
