"""Learning rates by their formulas; Adam by hand, with and without heads; PyTorch's optimisers."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
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


def test_cosine_restarts_from_the_peak_and_ends_at_the_floor():
    config = OptimizerConfig(
        learning_rate=1.0, schedule="cosine", restart_every=10, end_rate=0.2, warmup=5
    )
    np.testing.assert_allclose(rates(config, 99, (5, 10, 15, 20, 25)), [1, 0.6] * 2 + [1])
    once = OptimizerConfig(learning_rate=1.0, schedule="cosine", end_rate=0.2)
    np.testing.assert_allclose(rates(once, 10, (5, 10)), [0.6, 0.2], rtol=1e-6)


def test_step_with_another_factor_and_a_floor():
    config = OptimizerConfig(
        learning_rate=1.0, schedule="step", decay_every=10, decay_factor=0.1, end_rate=0.02
    )
    np.testing.assert_allclose(rates(config, 99, (9, 10, 20, 30)), [1, 0.1, 0.02, 0.02])


def test_milestones_are_steps_of_the_run():
    config = OptimizerConfig(learning_rate=1.0, schedule="step", milestones=(10, 25), warmup=5)
    assert rates(config, 99, (5, 9, 10, 24, 25, 98)) == [1, 1, 0.5, 0.5, 0.25, 0.25]


PARAMS: Any = {"conv1": {"kernel": jnp.array([1.0, -2.0]), "bias": jnp.array([0.5, 0.25])}}
GRADS = [
    {"conv1": {"kernel": jnp.array(k), "bias": jnp.array(b)}}
    for k, b in (([3.0, -4.0], [0.1, 12.0]), ([0.3, 0.4], [-2.0, 0.0]), ([1.0, 5.0], [1.0, 1.0]))
]


def updates_of(config, step: Any = None) -> list[Any]:
    """The updates for GRADS, parameters standing still, at steps 0, 1, 2 or all at one step."""
    optimizer = make_optimizer(config, 99)
    state, all_updates = optimizer.init(PARAMS), []
    for i, gradient in enumerate(GRADS):
        at = i if step is None else step
        updates, state = optimizer.update(gradient, state, PARAMS, step=at, scales=(2,))
        all_updates.append(updates)
    return all_updates


def assert_close(got, want, rtol=1e-5):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-9), got, want)


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_adam_by_hand(clip_norm):
    """Kingma and Ba's algorithm 1, on gradients of norms 5 and 0.5."""
    config = OptimizerConfig(learning_rate=0.1, b1=0.8, b2=0.9, eps=1e-3, clip_norm=clip_norm)
    optimizer = make_optimizer(config, 10)
    params = {"w": jnp.zeros(2)}
    state = optimizer.init(params)
    m = v = np.zeros(2)
    for t, gradient in enumerate(([3.0, -4.0], [0.3, 0.4]), 1):
        updates, state = optimizer.update(
            {"w": jnp.array(gradient)}, state, params, step=t - 1, scales=(2,)
        )
        g = np.array(gradient)
        if clip_norm:
            g = g * min(1, clip_norm / np.linalg.norm(g))
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        want = -0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(jax.tree.leaves(updates)[0], want, rtol=1e-5)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_with_decay_as_pytorch_does(name, weight_decay):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    config = OptimizerConfig(
        *(name, 0.1, "step"), decay_every=1, momentum=0.8, weight_decay=weight_decay
    )
    leaves, structure = jax.tree.flatten(PARAMS)
    theirs = [torch.tensor(np.array(leaf)) for leaf in leaves]
    if name == "adam":
        reference = torch.optim.Adam(theirs, lr=0.1, weight_decay=weight_decay)
    else:
        reference = torch.optim.SGD(theirs, lr=0.1, momentum=0.8, weight_decay=weight_decay)
    falling = torch.optim.lr_scheduler.StepLR(reference, 1, 0.5)
    optimizer: Any = make_optimizer(config, 10)
    params = PARAMS
    state = optimizer.init(params)
    for step, gradient in enumerate(GRADS):
        updates, state = optimizer.update(gradient, state, params, step=step, scales=(2,))
        params = jax.tree.map(jnp.add, params, updates)
        for tensor, g in zip(theirs, jax.tree.leaves(gradient), strict=True):
            tensor.grad = torch.tensor(np.array(g))
        reference.step()
        falling.step()
        assert_close(params, structure.unflatten([t.numpy() for t in theirs]), 1e-4)


@pytest.mark.parametrize("step", [0, 10])
def test_clipped_entries(step):
    """By value, and within theta / rate: ten times as wide once the rate has fallen tenfold."""
    rate = 0.01 * 0.1 ** (step // 10)
    for clip, bound in (("clip_value", 0.35), ("adjustable_clip", 0.005 / rate)):
        config = OptimizerConfig(
            "sgd", 0.01, "step", momentum=0.0, decay_every=10, decay_factor=0.1
        )
        config = replace(config, **{clip: 0.35 if clip == "clip_value" else 0.005})
        got = updates_of(config, step)
        want = [jax.tree.map(partial(np.clip, min=-bound, max=bound), g) for g in GRADS]
        assert_close(got, jax.tree.map(lambda g: -rate * g, want))


@pytest.mark.parametrize("step", [0, 10])
def test_the_norm_is_clipped_to_theta_over_the_rate(step):
    rate = 0.01 * 0.1 ** (step // 10)
    config = OptimizerConfig(
        *("sgd", 0.01, "step"),
        momentum=0.0,
        decay_every=10,
        decay_factor=0.1,
        adjustable_clip_norm=0.005,
    )
    for got, grads in zip(updates_of(config, step), GRADS, strict=True):
        norm = np.sqrt(sum((np.asarray(g, float) ** 2).sum() for g in jax.tree.leaves(grads)))
        factor = min(1, 0.005 / rate / norm)
        assert_close(got, jax.tree.map(lambda g, f=factor: -rate * f * g, grads))


@pytest.mark.parametrize("clip", ["adjustable_clip", "adjustable_clip_norm"])
def test_adjustable_clipping_at_a_rate_of_zero(clip):
    config = OptimizerConfig(warmup=2, **{clip: 0.1})
    assert_close(updates_of(config)[0], jax.tree.map(jnp.zeros_like, PARAMS))


def test_layers_with_a_rate_of_their_own():
    """The first pattern found in the path counts; the moments are not scaled."""
    base, factors = OptimizerConfig(), {"conv1/bias": 0.1, "conv1": 3.0}
    plain = updates_of(base)
    scaled = updates_of(replace(base, rates=factors))
    for ours, theirs in zip(scaled, plain, strict=True):
        assert_close(ours["conv1"]["bias"], 0.1 * theirs["conv1"]["bias"])
        assert_close(ours["conv1"]["kernel"], 3.0 * theirs["conv1"]["kernel"])
    with pytest.raises(InputError, match=r"rates\.conv2: no parameter .* such as conv1/bias"):
        make_optimizer(replace(base, rates={"conv": 1.0, "conv2": 0.1}), 10).init(PARAMS)


def test_heads_of_other_scales_rest_with_their_own_count():
    """Adam by hand: each head counts the steps that were its own; the rate is the run's."""
    config = OptimizerConfig(
        learning_rate=0.1, b1=0.8, b2=0.9, schedule="step", decay_every=1, weight_decay=0.2
    )
    optimizer: Any = make_optimizer(config, 10)
    params = {"body": jnp.array([1.0]), "tail_x2": jnp.array([2.0]), "tail_x3": jnp.array([3.0])}
    state = optimizer.init(params)
    moments: dict[str, tuple[float, float, int]] = dict.fromkeys(params, (0.0, 0.0, 0))
    for step, scales in enumerate(((2,), (3,), (3,), (2, 3), (2,))):
        active = {"body", *(f"tail_x{scale}" for scale in scales)}
        gradient = {name: 0.5 + step if name in active else 0.0 for name in params}
        gradient = {name: jnp.array([value]) for name, value in gradient.items()}
        updates, state = optimizer.update(gradient, state, params, step=step, scales=scales)
        for name in params:
            if name not in active:
                assert not updates[name].any()
                continue
            m, v, t = moments[name]
            g = 0.5 + step + 0.2 * float(params[name][0])
            m, v, t = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2, t + 1
            moments[name] = m, v, t
            want = -0.1 * 0.5**step * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
            np.testing.assert_allclose(updates[name], [want], rtol=1e-5)
