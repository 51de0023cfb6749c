"""Learning rates by their formulas, and Adam by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.training.config import OptimizerConfig
from jaxsr.training.optimizer import make_optimizer, make_schedule


def rates(config, steps, at):
    schedule = make_schedule(config, steps)
    return [np.asarray(schedule(step)).item() for step in at]


def test_constant():
    assert rates(OptimizerConfig(learning_rate=0.5), 10, (0, 9)) == [0.5, 0.5]


def test_cosine_falls_to_zero():
    config = OptimizerConfig(learning_rate=1.0, schedule="cosine")
    want = [1, (1 + np.cos(np.pi / 4)) / 2, 0.5, 0]
    np.testing.assert_allclose(rates(config, 100, (0, 25, 50, 100)), want, atol=1e-6)


def test_step_halves():
    config = OptimizerConfig(learning_rate=1.0, schedule="step", decay_every=10)
    assert rates(config, 100, (0, 9, 10, 19, 20, 35)) == [1, 1, 0.5, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_warmup_comes_first_and_the_rest_ends_with_the_run(schedule):
    config = OptimizerConfig(learning_rate=1.0, schedule=schedule, warmup=10)
    np.testing.assert_allclose(rates(config, 30, (0, 5, 10)), [0, 0.5, 1], atol=1e-6)
    end = 0 if schedule == "cosine" else 1
    np.testing.assert_allclose(rates(config, 30, (30,)), [end], atol=1e-6)


def test_a_run_of_warmup_only():
    config = OptimizerConfig(learning_rate=1.0, schedule="cosine", warmup=10)
    np.testing.assert_allclose(rates(config, 10, (5, 9)), [0.5, 0.9], atol=1e-6)


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_adam_by_hand(clip_norm):
    """Kingma and Ba's algorithm 1, on gradients of norms 5 and 0.5."""
    config = OptimizerConfig(learning_rate=0.1, b1=0.8, b2=0.9, eps=1e-3, clip_norm=clip_norm)
    optimizer = make_optimizer(config, 10)
    params = {"w": jnp.zeros(2)}
    state = optimizer.init(params)
    m = v = np.zeros(2)
    for t, gradient in enumerate(([3.0, -4.0], [0.3, 0.4]), 1):
        updates, state = optimizer.update({"w": jnp.array(gradient)}, state, params)
        g = np.array(gradient)
        if clip_norm:
            g = g * min(1, clip_norm / np.linalg.norm(g))
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        want = -0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(jax.tree.leaves(updates)[0], want, rtol=1e-5)
