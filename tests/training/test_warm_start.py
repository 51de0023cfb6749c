"""`init_from`: the tensors that fit are taken, the others and the rest of the state stay fresh."""

import jax
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.models import create_model
from jaxsr.training.checkpoint import Checkpoints
from jaxsr.training.config import OptimizerConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.state import create_state
from jaxsr.training.warm_start import read_start, start_from

ARGUMENTS = {"blocks": 1, "features": 4}


def fresh(scale, seed=0, **arguments):
    model = create_model("edsr_baseline", scale=scale, **ARGUMENTS | arguments)
    optimizer = make_optimizer(OptimizerConfig(), 10)
    return create_state(model, optimizer, jax.random.key(seed, impl="rbg"), ema=True)


def assert_started(state, before, given):
    """All but the up-sampler (2 * 2 against 3 * 3 pixels) is that of the weights at x2."""
    for name, layer in before.params.items():
        want = layer if name == "upsample0" else given[name]
        jax.tree.map(np.testing.assert_array_equal, state.params[name], want)
    jax.tree.map(np.testing.assert_array_equal, state.ema, state.params)
    jax.tree.map(np.testing.assert_array_equal, state.opt_state, before.opt_state)


@pytest.fixture
def run(tmp_path):
    """The folder of a run at x2."""
    config = {"model": "edsr_baseline", "scale": 2, "model_args": ARGUMENTS}
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        checkpoints.save(5, fresh(2, seed=1), spec={"config": config})
    return tmp_path / "run"


def test_from_a_run(run):
    lines, before = [], fresh(3)
    x3 = create_model("edsr_baseline", scale=3, **ARGUMENTS)
    state = start_from(before, read_start(str(run), x3, lines.append), "run", lines.append)
    assert_started(state, before, fresh(2, seed=1).ema)
    assert lines == [
        "starting from run: 10 of 12 tensors; these start afresh: "
        "params/upsample0/bias, params/upsample0/kernel"
    ]


def test_batch_statistics_are_taken_too(everything):
    optimizer = make_optimizer(OptimizerConfig(), 10)
    states = [
        create_state(everything(2), optimizer, jax.random.key(seed, impl="rbg"), ema=False)
        for seed in (0, 1)
    ]
    stats = jax.tree.map(lambda x: x + 3, states[1].batch_stats)
    given = {"params": states[1].params, "batch_stats": stats}
    lines = []
    state = start_from(states[0], given, "w", lines.append)
    jax.tree.map(np.testing.assert_array_equal, state.params, states[1].params)
    jax.tree.map(np.testing.assert_array_equal, state.batch_stats, stats)
    assert state.ema == {} and lines == ["starting from w: 12 of 12 tensors"]


def test_a_run_that_does_not_fit(run):
    with pytest.raises(InputError, match=f"config.init_from: {run} holds no tensor that fits"):
        read_start(str(run), create_model("espcn", scale=2), print)


def test_what_is_not_there(tmp_path):
    model = create_model("edsr_baseline", scale=2, **ARGUMENTS)
    for path in (tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            read_start(str(path), model, print)
