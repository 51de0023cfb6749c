"""The adversarial step against NumPy: two players small enough to be differentiated by hand.

Generator: w * (enlarged LR) + b. Discriminator: a * mean(image) + c, a logit a sample. Both
gradients are central differences of the objectives in float64.
"""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.tree_util import Partial

from jaxsr.data import Batch
from jaxsr.losses import GAN_LOSSES, get_loss
from jaxsr.models.blocks import batch_norm
from jaxsr.training.adversarial import make_adversarial_step
from jaxsr.training.adversarial_state import Judge, create_adversarial_state
from jaxsr.training.config import AdversarialConfig, GuardConfig, OptimizerConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.state import create_state
from jaxsr.training.turns import Turn, turn_of

KEY = jax.random.key(0, impl="rbg")
RATE, N = 0.1, 3
HR: Any = np.random.default_rng(0).integers(60, 250, (N, 4, 4, 3), np.uint8)
BATCH = Batch(np.arange(N, dtype=np.uint32), HR)
START = {"w": 0.8, "b": 0.1, "a": 0.3, "c": -0.2}
EVERYTHING = Turn(penalty=True)


class Gain(nn.Module):
    """w * nearest(LR) + b."""

    scale: int = 2
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr):
        w = self.param("w", nn.initializers.constant(START["w"]), (1, 1, 1, 1))
        b = self.param("b", nn.initializers.constant(START["b"]), (1, 1, 1, 1))
        return w * jnp.repeat(jnp.repeat(lr, 2, 1), 2, 2) + b


class MeanJudge(nn.Module):
    """a * mean + c."""

    @nn.compact
    def __call__(self, x, train=False):
        a = self.param("a", nn.initializers.constant(START["a"]), (1, 1))
        c = self.param("c", nn.initializers.constant(START["c"]), (1, 1))
        return a * jnp.mean(x, axis=(1, 2, 3)).reshape(-1, 1) + c


def pairing(keys, batch):
    hr = jnp.asarray(batch.hr) / 255.0
    return hr[:, ::2, ::2], hr


SGD = make_optimizer(OptimizerConfig("sgd", learning_rate=RATE, momentum=0.0), 10)


def build(config, module=None, content: Any = "mse", ema=0.0, weight=0.5, **fields):
    """The step of one discriminator, compiled, and its first state."""
    judges = {"image": Judge(module or MeanJudge(), Partial(lambda x: x), weight)}
    model = fields.pop("model", Gain())
    state = create_state(model, SGD, KEY, ema=ema > 0, guard=fields.get("guard"))
    state = create_adversarial_state(state, judges, SGD, 4, KEY, lag=config.lag > 0)
    loss = get_loss(content)
    step = make_adversarial_step(
        model, fields.pop("pairing", pairing), SGD, loss, ema, judges, SGD, config, **fields
    )
    return jax.jit(step), state


def values(state) -> dict[str, float]:
    players = {**state.generator.params, **state.discriminators["image"].params}
    return {name: float(value.squeeze()) for name, value in players.items()}


def numpy_players(config: AdversarialConfig, weight: float) -> dict[str, float]:
    """The four parameters after one step, in float64, from the papers' formulas."""
    hr = HR.astype(float) / 255
    x = hr[:, ::2, ::2].repeat(2, 1).repeat(2, 2)
    theta = dict(START)

    def softplus(z):
        return np.logaddexp(0, z)

    def logits(p, image):
        return p["a"] * image.mean((1, 2, 3)) + p["c"]

    def relative(r, f):
        mean = np.mean
        return (mean(softplus(mean(f) - r)) + mean(softplus(f - mean(r)))) / 2

    def discriminator(p, sr):
        r, f = logits(p, hr), logits(p, sr)
        value = {
            "vanilla": lambda: softplus(-r).mean() + softplus(f).mean(),
            "relativistic": lambda: relative(r, f),
        }[config.loss]()
        # a / (pixels of a sample) is the slope by each of its pixels.
        r1 = p["a"] ** 2 / hr[0].size / 2
        return config.loss_weight * value + config.r1_every * config.r1 * r1

    def generator(p):
        sr = p["w"] * x + p["b"]
        r, f = logits(p, hr), logits(p, sr)
        value = {
            "vanilla": lambda: softplus(-f).mean(),
            "relativistic": lambda: relative(f, r),
        }[config.loss]()
        return ((sr - hr) ** 2).mean() + weight * value

    def slopes(objective, names):
        found, h = {}, 1e-5
        for name in names:
            more, less = theta | {name: theta[name] + h}, theta | {name: theta[name] - h}
            found[name] = (objective(more) - objective(less)) / (2 * h)
        return found

    def moved(by):
        return {name: theta[name] - RATE * slope for name, slope in by.items()}

    sr = theta["w"] * x + theta["b"]
    new = moved(slopes(lambda p: discriminator(p, sr), "ac"))
    if config.order == "discriminator":
        theta |= new
    return new | moved(slopes(generator, "wb"))


@pytest.mark.parametrize("loss", ["vanilla", "relativistic"])
@pytest.mark.parametrize("order", ["together", "discriminator"])
def test_both_updates_equal_numeric_ones(loss, order):
    config = AdversarialConfig(loss=loss, loss_weight=2.0, order=order, r1=10.0, r1_every=4)
    step, state = build(config, turn=EVERYTHING)
    new, metrics = step(state, BATCH)
    expected = numpy_players(config, 0.5)
    for name, value in values(new).items():
        assert value == pytest.approx(expected[name], abs=2e-6), name
        if (name, loss) != ("c", "relativistic"):  # which compares, so that c cancels
            assert abs(value - START[name]) > 1e-4, name
    assert int(new.generator.step) == 1 and metrics["skipped"] == 0
    assert metrics["image/r1"] == pytest.approx(START["a"] ** 2 / 48 / 2, rel=1e-5)


def test_each_player_learns_by_its_own_loss_alone():
    """The gradient of either by the other's loss is exactly zero: its weight changes no bit."""
    base = AdversarialConfig()
    changed = {
        "discriminator": build(replace(base, loss_weight=50.0)),
        "generator": build(base, weight=50.0),
        "content": build(base, content={"mse": 9.0, "l1": 2.0}),
    }
    step, state = build(base)
    reference = values(step(state, BATCH)[0])
    for what, (other, first) in changed.items():
        got = values(other(first, BATCH)[0])
        kept, moved = ("wb", "ac") if what == "discriminator" else ("ac", "wb")
        assert [got[name] for name in kept] == [reference[name] for name in kept]
        assert all(got[name] != reference[name] for name in moved)


def test_turns():
    config = AdversarialConfig(generator_every=2, discriminator_every=3, r1=1.0, r1_every=2)
    assert [tuple(turn_of(config, step)) for step in range(7)] == [
        *((True, True, True), (False, False, False), (True, False, False), (False, True, False)),
        *((True, False, False), (False, False, False), (True, True, True)),
    ]
    # Of the discriminators' turns: else the penalty would weigh more, the fewer they are.
    config = AdversarialConfig(discriminator_every=2, r1=1.0, r1_every=4)
    assert [step for step in range(24) if turn_of(config, step).penalty] == [0, 8, 16]
    for generator, discriminator in itertools.product((True, False), repeat=2):
        step, state = build(AdversarialConfig(), turn=Turn(generator, discriminator))
        new, metrics = step(state, BATCH)
        got = values(new)
        assert (got["w"] != START["w"] and got["b"] != START["b"]) or not generator
        changed = {name for name in got if got[name] != pytest.approx(START[name], abs=1e-7)}
        assert changed == {*("wb" if generator else ""), *("ac" if discriminator else "")}
        assert ("loss" in metrics, "image/loss" in metrics) == (generator, discriminator)
        assert int(new.generator.step) == 1


@pytest.mark.parametrize("loss", GAN_LOSSES)
def test_the_generator_moves_toward_the_data(loss):
    """Images that are one level each: G must find it, by the adversarial loss alone.

    D's slope grows in the direction in which HR lies, so G's gradient points there.
    """
    level = 0.9
    hr = np.full_like(HR, round(255 * level))

    def dark(keys, batch):
        real = jnp.asarray(batch.hr) / 255.0
        return 0.0 * real[:, ::2, ::2], real

    config = AdversarialConfig(loss=loss, r1=1.0, r1_every=1)
    # The total variation of a constant image is 0, and so is its slope.
    step, state = build(config, content="tv", weight=1.0, pairing=dark, turn=EVERYTHING)
    distance = [level - START["b"]]
    for _ in range(60):
        state, _ = step(state, Batch(BATCH.record, hr))
        distance.append(abs(level - values(state)["b"]))
    assert min(distance) < 0.5 * distance[0]


def test_a_discriminator_that_leads_does_not_learn():
    """It learns in a first step, and then while it is worse than `lag` on either kind."""
    config = AdversarialConfig(lag=0.45)
    step, state = build(config)
    state, first = step(state, BATCH)
    assert first["image/learns"] == 1 and values(state)["a"] != START["a"]
    hr, sr = (np.asarray(x).mean((1, 2, 3)) for x in _images(START))
    real, fake = (START["a"] * x + START["c"] for x in (hr, sr))
    expected = [np.mean(1 / (1 + np.exp(-real))), np.mean(1 / (1 + np.exp(fake)))]
    np.testing.assert_allclose(state.performance["image"], expected, rtol=1e-5)
    for performance, learns in (([0.9, 0.4], 1), ([0.4, 0.9], 1), ([0.46, 0.46], 0)):
        before = replace(state, performance={"image": jnp.array(performance)})
        after, metrics = step(before, BATCH)
        assert metrics["image/learns"] == learns
        assert (values(after)["a"] != values(before)["a"]) == bool(learns)
        assert values(after)["w"] != values(before)["w"]


def _images(theta: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    hr = HR.astype(float) / 255
    return hr, theta["w"] * hr[:, ::2, ::2].repeat(2, 1).repeat(2, 2) + theta["b"]


def test_metrics_are_what_they_are_called():
    step, state = build(AdversarialConfig(), content={"mse": 2.0, "l1": 1.0})
    _, metrics = step(state, BATCH)
    hr, sr = _images(START)
    real, fake = (START["a"] * x.mean((1, 2, 3)) + START["c"] for x in (hr, sr))
    gan = np.logaddexp(0, -fake).mean()
    mse, l1 = ((sr - hr) ** 2).mean(), np.abs(sr - hr).mean()
    expected = {
        "psnr": -10 * np.log10(mse),
        "loss": 2 * mse + l1 + 0.5 * gan,
        "loss/mse": mse,
        "loss/l1": l1,
        "loss/gan_image": gan,
        "image/loss": np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean(),
        "image/real": real.mean(),
        "image/fake": fake.mean(),
        "image/accuracy_real": (real > 0).mean(),
        "image/accuracy_fake": (fake < 0).mean(),
        "skipped": 0,
    }
    assert metrics.keys() - expected.keys() == {"grad_norm", "image/grad_norm"}
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("broken", ["generator", "discriminator"])
def test_a_step_that_is_not_finite_changes_nothing_but_its_number(broken):
    step, state = build(AdversarialConfig(), ema=0.9)
    sick = {"generator": ("b", state.generator), "discriminator": ("c", None)}[broken][0]
    generator, opponent = state.generator, state.discriminators["image"]
    if broken == "generator":
        params = generator.params | {sick: jnp.full((1, 1, 1, 1), jnp.nan)}
        state = replace(state, generator=replace(generator, params=params))
    else:
        params = opponent.params | {sick: jnp.full((1, 1), jnp.nan)}
        state = replace(state, discriminators={"image": replace(opponent, params=params)})
    new, metrics = step(state, BATCH)
    assert metrics["skipped"] == 1 and int(new.generator.step) == 1
    new = replace(new, generator=replace(new.generator, step=state.generator.step))
    for ours, theirs in zip(jax.tree.leaves(new), jax.tree.leaves(state), strict=True):
        if not jnp.issubdtype(ours.dtype, jax.dtypes.prng_key):
            np.testing.assert_array_equal(ours, theirs)


def test_an_outlier_of_the_loss_is_skipped():
    guard = GuardConfig(spike=3.0)
    # A rate of nearly nothing: the loss is that of the batch.
    step, state = build(AdversarialConfig(), weight=1e-6, guard=guard)
    skipped = []
    for i in range(24):
        bright = Batch(BATCH.record, np.where(i % 4 == 3, HR, 255 - HR // 8).astype(np.uint8))
        state = replace(state, generator=replace(state.generator, params=_like(state, START)))
        state, metrics = step(state, bright)
        skipped.append((float(metrics["skipped"]), float(metrics["loss"])))
    losses = [loss for _, loss in skipped]
    mean, count, expected = 0.0, 0, []
    for loss in losses:
        out = count >= 20 and loss > 3.0 * mean
        expected.append(float(out))
        if not out:
            mean, count = (mean * count + loss) / (count + 1), count + 1
    assert [value for value, _ in skipped] == expected
    assert sum(expected) > 0


def _like(state, theta):
    return {k: jnp.full_like(v, theta[k]) for k, v in state.generator.params.items()}


class NormedJudge(nn.Module):
    """The mean of batch-normalised pixels: its running mean tells what it was shown."""

    @nn.compact
    def __call__(self, x, train=False):
        return jnp.mean(batch_norm(x, "norm", train), axis=(1, 2, 3)).reshape(-1, 1)


class NormedGain(Gain):
    """`Gain` behind a batch norm."""

    @nn.compact
    def __call__(self, lr, train=False):
        w = self.param("w", nn.initializers.constant(1.0), (1, 1, 1, 1))
        x = batch_norm(lr, "norm", train)
        return w * jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)


def test_batch_statistics_of_real_and_fake_are_apart():
    """Two updates of the running mean, by the mean of HR and then by that of SR."""
    step, state = build(AdversarialConfig(), NormedJudge())
    new, _ = step(state, BATCH)
    hr, sr = _images(START)
    running = np.zeros(3)
    for image in (hr, sr):
        running = 0.9 * running + 0.1 * image.mean((0, 1, 2))
    got = new.discriminators["image"].batch_stats["norm"]["mean"]
    np.testing.assert_allclose(got, running, rtol=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_batch_norms_of_the_generator(frozen):
    config = AdversarialConfig(freeze_batch_norm=frozen)
    step, state = build(config, model=NormedGain())
    new, metrics = step(state, BATCH)
    before, after = state.generator.batch_stats["norm"], new.generator.batch_stats["norm"]
    assert np.array_equal(before["mean"], after["mean"]) == frozen
    hr = HR.astype(float) / 255
    x = hr[:, ::2, ::2]
    if not frozen:
        x = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    psnr = -10 * np.log10(((x.repeat(2, 1).repeat(2, 2) - hr) ** 2).mean())
    assert metrics["psnr"] == pytest.approx(psnr, abs=1e-3)


def test_sharpened_hr_is_for_the_content_alone():
    """The discriminator takes what `natural` gives for real."""

    def sharpened(keys, batch):
        lr, hr = pairing(keys, batch)
        return lr, 1.5 * hr

    step, state = build(AdversarialConfig(), pairing=sharpened, natural=pairing)
    _, metrics = step(state, BATCH)
    hr, sr = _images(START)
    assert metrics["loss"] - 0.5 * metrics["loss/gan_image"] == pytest.approx(
        ((sr - 1.5 * hr) ** 2).mean(), rel=1e-4
    )
    assert metrics["image/real"] == pytest.approx(START["a"] * hr.mean() + START["c"], rel=1e-4)


def test_two_discriminators_and_the_views_of_them():
    """Each has its weight, and its own view, whose gradient comes back to SR."""
    views = SimpleNamespace(image=Partial(lambda x: x), half=Partial(lambda x: x[:, :2]))
    judges = {
        "image": Judge(MeanJudge(), views.image, 0.5),
        "half": Judge(MeanJudge(), views.half, 4.0),
    }
    state = create_state(Gain(), SGD, KEY, ema=False)
    state = create_adversarial_state(state, judges, SGD, 4, KEY, lag=False)
    config = AdversarialConfig()
    step = jax.jit(
        make_adversarial_step(Gain(), pairing, SGD, get_loss("mse"), 0.0, judges, SGD, config)
    )
    new, metrics = step(state, BATCH)
    hr, sr = _images(START)

    def objective(b):
        image = sr + b - START["b"]
        logits = {"image": image.mean((1, 2, 3)), "half": image[:, :2].mean((1, 2, 3))}
        total = ((image - hr) ** 2).mean()
        for name, judge in judges.items():
            fake = START["a"] * logits[name] + START["c"]
            total += judge.weight * np.logaddexp(0, -fake).mean()
        return total

    slope = (objective(START["b"] + 1e-5) - objective(START["b"] - 1e-5)) / 2e-5
    got = float(new.generator.params["b"].squeeze())
    assert got == pytest.approx(START["b"] - RATE * slope, abs=2e-6)
    assert metrics["loss"] == pytest.approx(objective(START["b"]), rel=1e-5)


ON_FOUR = """
import jax, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxsr.data import Batch
from tests.training.test_adversarial import AdversarialConfig, NormedGain, NormedJudge, build

assert jax.device_count() == 4
config = AdversarialConfig(loss="relativistic")
step, state = build(config, NormedJudge(), model=NormedGain())
hr = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), np.uint8)
batch = Batch(np.arange(8, dtype=np.uint32), hr)
mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
copied = jax.device_put(state, NamedSharding(mesh, PartitionSpec()))
split = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("data")))
many, one = step(copied, split), step(state, batch)
for (new, metrics) in (many, one):
    assert metrics["skipped"] == 0
close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
jax.tree.map(close, (many[0].discriminators, many[1]), (one[0].discriminators, one[1]))
ours, theirs = many[0].generator, one[0].generator
jax.tree.map(close, (ours.params, ours.batch_stats), (theirs.params, theirs.batch_stats))
"""


def test_four_devices_do_what_one_does():
    """Statistics of batch norms and the means of relativistic losses are the whole batch's."""
    flags = "--xla_force_host_platform_device_count=4"
    result = subprocess.run(
        [sys.executable, "-c", ON_FOUR],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
