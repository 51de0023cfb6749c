"""The train step on networks with batch norm, dropout, supervised outputs, heads for several
scales: against the formulas, and against steps of one scale each."""

from dataclasses import replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.data import Batch
from jaxsr.degradations import bicubic
from jaxsr.image.resize import imresize
from jaxsr.losses import get_loss, l1, mse
from jaxsr.metrics import get_protocol
from jaxsr.models.blocks import batch_norm, nearest
from jaxsr.training.config import OptimizerConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.pairing import make_pairing
from jaxsr.training.state import create_state, evaluated_variables
from jaxsr.training.step import make_train_step
from jaxsr.training.supervision import get_supervision

KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default
PATCHES: Any = np.random.default_rng(10).integers(0, 256, (4, 12, 12, 3), np.uint8)
BATCH = Batch(np.arange(4, dtype=np.uint32), PATCHES)
LUMA = get_protocol("y-uint8")


def build(models, *, rate=0.1, ema=0.0, loss=mse, supervision=None):
    """A fresh state and the compiled step of plain gradient descent."""
    optimizer = make_optimizer(OptimizerConfig("sgd", rate, momentum=0.0), 10)
    pairings = [make_pairing(LUMA, bicubic(model.scale), model.scale) for model in models]
    step = make_train_step(models, pairings, optimizer, loss, ema, supervision)
    return create_state(models[0], optimizer, KEY, ema=ema > 0), jax.jit(step)


def pair(scale, hr=PATCHES) -> Any:
    return [np.asarray(x) for x in LUMA.pair(bicubic(scale), KEY, hr)]


class Normed(nn.Module):
    """Nearest enlargement after batch norm."""

    scale: int = 2
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr, train=False):
        return nearest(batch_norm(lr, "norm", train), self.scale)


def test_batch_statistics_are_those_of_training_mode():
    """A tenth of the batch's mean and variance is taken in; the batch itself is normalised."""
    state, step = build([Normed()], ema=0.9)
    lr, hr = pair(2)
    normed = (lr - lr.mean()) / np.sqrt(lr.var() + 1e-5)
    new, metrics = step(state, BATCH)
    want = np.square(normed.repeat(2, 1).repeat(2, 2) - hr).mean()
    assert float(metrics["loss"]) == pytest.approx(want, rel=1e-4)
    stats = new.batch_stats["norm"]
    np.testing.assert_allclose(stats["mean"], [0.1 * lr.mean()], rtol=1e-5)
    np.testing.assert_allclose(stats["var"], [0.9 + 0.1 * lr.var()], rtol=1e-5)
    assert evaluated_variables(new) == {"params": new.ema, "batch_stats": new.batch_stats}


def test_dropout_is_a_function_of_the_step(everything):
    state, step = build([everything(2, dropout=0.5)], rate=1e-30)
    at = [float(step(replace(state, step=jnp.int32(k)), BATCH)[1]["loss"]) for k in (0, 1, 0)]
    assert at[0] == at[2] != at[1]


def test_supervision_by_its_formulas():
    noise: Any = np.random.default_rng(0).random((4, 2, 8, 8, 1), np.float32)
    sr, hr, y1, y2 = noise
    total, anneal = get_supervision("sum"), get_supervision("anneal", 10)
    assert get_supervision("none") is None and total is not None and anneal is not None
    own, others = (abs(sr - hr).mean(), [abs(y - hr).mean() for y in (y1, y2)])
    got = total(l1, sr, hr, [y1, y2], 0)
    np.testing.assert_allclose(got, own + sum(others), rtol=1e-6)
    for step, alpha in ((0, 1.0), (4, 0.6), (10, 0.0), (99, 0.0)):
        want = alpha * np.mean(others) + (1 - alpha) * own
        np.testing.assert_allclose(anneal(l1, sr, hr, [y1, y2], step), want, rtol=1e-6)


def test_a_smaller_output_is_held_against_reduced_hr():
    hr: Any = np.random.default_rng(0).random((2, 16, 16, 1), np.float32)
    total = get_supervision("sum")
    assert total is not None
    reduced = bicubic(4)(KEY, hr)
    assert float(total(l1, hr, hr, [reduced], 0)) == 0
    assert float(total(l1, hr, hr, [reduced + 0.25], 0)) == pytest.approx(0.25)
    # LapSRN's inner level of twice the size on the way to three times.
    between = imresize(hr[:, :12, :12], 2 / 3, edge="replicate")
    assert float(total(l1, hr[:, :12, :12], hr[:, :12, :12], [between], 0)) == 0


def test_supervised_outputs_come_from_the_network(everything):
    """The early output counts: its layer learns only then, and the loss has both parts."""
    model = everything(2, dropout=0.0)
    state, plain = build([model])
    _, summed = build([model], supervision=get_supervision("sum"))
    alone, together = plain(state, BATCH), summed(state, BATCH)
    lr, hr = pair(2)
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    sr, sown = model.apply(variables, lr, train=True, mutable=["supervised", "batch_stats"])
    early = sown["supervised"]["sr"][0]
    assert float(alone[1]["loss"]) == pytest.approx(float(mse(sr, hr)), rel=1e-5)
    want = float(mse(sr, hr) + mse(early, hr))
    assert float(together[1]["loss"]) == pytest.approx(want, rel=1e-5)
    kernels = [x.params["early"]["kernel"] for x in (state, alone[0], together[0])]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_each_term_of_a_sum_is_told(everything):
    """Supervised and averaged over the scales as the sum is, but not weighted."""
    models = [everything(s, dropout=0.0) for s in (2, 3)]
    summed = get_supervision("sum")
    loss = get_loss({"l1": 2.0, "mse": 0.5})
    state, step = build(models, loss=loss, supervision=summed)
    values = {name: float(value) for name, value in step(state, BATCH)[1].items()}
    for name, term in (("l1", l1), ("mse", mse)):
        alone = build(models, loss=term, supervision=summed)[1](state, BATCH)[1]
        assert values[f"loss/{name}"] == pytest.approx(float(alone["loss"]), rel=1e-5)
        assert f"loss/{name}" not in alone
    want = 2 * values["loss/l1"] + 0.5 * values["loss/mse"]
    assert values["loss"] == pytest.approx(want, rel=1e-6)


def test_parameters_of_a_loss_are_arguments():
    """A step is a pytree of them, so that a program need not hold them as constants."""
    gain = jax.tree_util.Partial(lambda w, sr, hr: w * l1(sr, hr), jnp.float32(3))
    optimizer = make_optimizer(OptimizerConfig("sgd", 0.1), 10)
    pairing = make_pairing(LUMA, bicubic(2), 2)
    step = make_train_step([Normed()], [pairing], optimizer, gain, 0.0)
    assert jax.tree.leaves(step) == [3]


def test_scales_that_share_a_batch_do_what_they_do_alone(everything):
    """Two scales take every other patch; loss and update are the means of theirs."""
    models = [everything(s, dropout=0.0) for s in (2, 3)]
    state, both = build(models)
    new, metrics = both(state, BATCH)
    halves = [Batch(BATCH.record[i::2], PATCHES[i::2]) for i in range(2)]
    alone = [build([model])[1](state, half) for model, half in zip(models, halves, strict=True)]
    losses = [float(values["loss"]) for _, values in alone]
    assert float(metrics["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)
    for moved, old, x2, x3 in zip(
        *(jax.tree.leaves(x.params) for x in (new, state, alone[0][0], alone[1][0])), strict=True
    ):
        np.testing.assert_allclose(moved - old, (x2 - old + x3 - old) / 2, atol=1e-6)
    # A tenth of the mean of each scale is taken in, one after the other.
    taken_in = [x.batch_stats["norm"]["mean"] for x in (new, alone[0][0], alone[1][0])]
    np.testing.assert_allclose(taken_in[0], 0.9 * taken_in[1] + taken_in[2], rtol=1e-5, atol=1e-7)


def test_heads_of_other_scales_do_not_move(everything):
    model = everything(3)
    optimizer = make_optimizer(OptimizerConfig(learning_rate=0.1, weight_decay=0.1), 10)
    state = create_state(model, optimizer, KEY, ema=True)
    pairing = make_pairing(LUMA, bicubic(3), 3)
    new, _ = jax.jit(make_train_step([model], [pairing], optimizer, mse, 0.9))(state, BATCH)
    for tree in ("params", "ema"):
        for name in ("tail_x2", "tail_x3", "body"):
            old, moved = (getattr(x, tree)[name]["kernel"] for x in (state, new))
            assert np.array_equal(old, moved) == (name == "tail_x2")
