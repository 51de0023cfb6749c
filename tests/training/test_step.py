"""The train step against Adam and the moving average by hand, and over several devices."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxsr.data import Batch
from jaxsr.degradations import bicubic
from jaxsr.losses import mse
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.training.pairing import make_pairing
from jaxsr.training.state import create_state, evaluated_variables
from jaxsr.training.step import make_train_step

ROOT = Path(__file__).parents[2]
KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default
PATCHES: Any = np.random.default_rng(10).integers(0, 256, (4, 8, 8, 3), np.uint8)
BATCH = Batch(np.arange(4, dtype=np.uint32), PATCHES)
LUMA = get_protocol("y-uint8")
PAIRING = make_pairing(LUMA, bicubic(2), 2)
RATE, B1, B2, EPS, DECAY = 0.01, 0.9, 0.999, 1e-8, 0.15


class Gain(nn.Module):
    """The smallest network: nearest enlargement times a weight plus a bias."""

    scale: int = 2
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr):
        w = self.param("w", nn.initializers.constant(0.5), (1, 1, 1, 1))
        b = self.param("b", nn.initializers.constant(0.1), (1, 1, 1, 1))
        return w * jnp.repeat(jnp.repeat(lr, 2, 1), 2, 2) + b


def run(step, state, times):
    states, metrics = [state], []
    for _ in range(times):
        state, values = step(state, BATCH)
        states.append(state)
        metrics.append(values)
    return states, metrics


@pytest.fixture(scope="module")
def history():
    """Three steps of `Gain`, as (states, metrics)."""
    optimizer = optax.adam(RATE, B1, B2, EPS)
    step = make_train_step([Gain()], [PAIRING], optimizer, mse, DECAY)
    return run(jax.jit(step), create_state(Gain(), optimizer, KEY, ema=True), 3)


def values_of(params):
    return np.array([float(params[name].squeeze()) for name in ("w", "b")])


def test_updates_and_metrics_by_hand(history):
    """SR = w x + b: the gradient of the mean squared error in closed form, Adam in NumPy."""
    states, metrics = history
    lr, hr = LUMA.pair(bicubic(2), KEY, PATCHES)
    x, y = np.asarray(lr, float).repeat(2, 1).repeat(2, 2), np.asarray(hr, float)
    p = np.array([0.5, 0.1])
    np.testing.assert_allclose(values_of(states[0].params), p, rtol=1e-6)
    m = v = np.zeros(2)
    for t in (1, 2, 3):
        error = p[0] * x + p[1] - y
        g = np.array([2 * (error * x).mean(), 2 * error.mean()])
        loss = (error**2).mean()
        got = metrics[t - 1]
        assert float(got["loss"]) == pytest.approx(loss, rel=1e-5)
        assert float(got["psnr"]) == pytest.approx(-10 * np.log10(loss), abs=1e-4)
        assert float(got["grad_norm"]) == pytest.approx(np.linalg.norm(g), rel=1e-4)
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
        p = p - RATE * (m / (1 - B1**t)) / (np.sqrt(v / (1 - B2**t)) + EPS)
        np.testing.assert_allclose(values_of(states[t].params), p, rtol=1e-4)
        assert int(states[t].step) == t


def test_moving_average_by_hand(history):
    """Decay 1/10 and 2/11 while young: the second is above the limit of 0.15."""
    states, _ = history
    average = values_of(states[0].params)
    for t, decay in enumerate((1 / 10, DECAY, DECAY)):
        average = decay * average + (1 - decay) * values_of(states[t + 1].params)
        np.testing.assert_allclose(values_of(states[t + 1].ema), average, rtol=1e-5)
    assert evaluated_variables(states[3])["params"] is states[3].ema


def test_without_an_average_the_parameters_are_evaluated():
    optimizer = optax.sgd(0.1)
    state = create_state(Gain(), optimizer, KEY, ema=False)
    step = make_train_step([Gain()], [PAIRING], optimizer, mse, 0.0)
    new = jax.eval_shape(step, state, BATCH)[0]
    assert state.ema == new.ema == {}
    assert evaluated_variables(state)["params"] is state.params


def test_every_record_is_degraded_with_its_own_key():
    """Of the record's number only: neither the step nor the batch it is in matters."""
    optimizer = optax.sgd(0.0)
    state = create_state(Gain(), optimizer, jax.random.key(0), ema=False)

    def noisy(keys, hr):
        return jax.vmap(lambda key: jax.random.uniform(key, (4, 4, 1)))(keys)

    pairing = make_pairing(LUMA, noisy, 2)
    step = jax.jit(make_train_step([Gain()], [pairing], optimizer, mse, 0.0))

    def loss_of(records, patches, at):
        batch = Batch(np.array(records, np.uint32), patches)
        return float(step(replace(state, step=jnp.int32(at)), batch)[1]["loss"])

    together = loss_of([5, 6, 7, 8], PATCHES, 0)
    alone = [loss_of([5 + i], PATCHES[i : i + 1], i) for i in range(4)]
    assert together == pytest.approx(np.mean(alone), rel=1e-5)
    assert len(set(alone)) == 4
    assert loss_of([6], PATCHES[:1], 0) != alone[0]


def test_the_loss_falls_and_twice_is_the_same():
    model, optimizer = create_model("espcn", scale=2), optax.adam(1e-3)
    state = create_state(model, optimizer, KEY, ema=True)
    assert int(state.step) == 0
    jax.tree.map(np.testing.assert_array_equal, state.ema, state.params)
    step = jax.jit(make_train_step([model], [PAIRING], optimizer, mse, 0.999))
    first, second = run(step, state, 20), run(step, state, 20)
    losses = [float(metrics["loss"]) for metrics in first[1]]
    assert losses[-1] < 0.7 * losses[0]
    jax.tree.map(np.testing.assert_array_equal, first[0][-1].params, second[0][-1].params)
    assert losses == [float(metrics["loss"]) for metrics in second[1]]


ON_FOUR = """
import jax, numpy as np, optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxsr.data import Batch
from jaxsr.degradations import bicubic
from jaxsr.losses import mse
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.training.pairing import make_pairing
from jaxsr.training.state import create_state
from jaxsr.training.step import make_train_step

assert jax.device_count() == 4
model, optimizer = create_model("espcn", scale=2), optax.sgd(0.1)
state = create_state(model, optimizer, jax.random.key(0, impl="rbg"), ema=True)
pairing = make_pairing(get_protocol("y-uint8"), bicubic(2), 2)
step = make_train_step([model], [pairing], optimizer, mse, 0.9)
patches = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), np.uint8)
batch = Batch(np.arange(8, dtype=np.uint32), patches)

def same(got, want, rtol):
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)
    jax.tree.map(close, (got[0].params, got[0].ema, got[1]), (want[0].params, want[0].ema, want[1]))

mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
copied = jax.device_put(state, NamedSharding(mesh, PartitionSpec()))
split = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("data")))
one = jax.jit(step)(state, batch)
same(jax.jit(step)(copied, split), one, 1e-6)

quarters = jax.tree.map(lambda x: x.reshape(4, 2, *x.shape[1:]), batch)
mapped = jax.pmap(step, in_axes=(None, 0))(state, quarters)
for i in range(4):
    alone = jax.jit(step)(state, jax.tree.map(lambda x: x[i], quarters))
    same(jax.tree.map(lambda x: x[i], (mapped[0], mapped[1])), alone, 1e-5)
"""


def test_four_devices_do_what_one_does():
    """Split over a mesh by `jax.jit`, and mapped by `jax.pmap`, each device with its own batch."""
    flags = "--xla_force_host_platform_device_count=4"
    result = subprocess.run(
        [sys.executable, "-c", ON_FOUR],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
