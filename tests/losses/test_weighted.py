"""Losses by name, and sums of them."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.losses import WeightedSum, get_loss, l1, mse

SR, HR = (np.random.default_rng(seed).random((2, 4, 4, 3), np.float32) for seed in (0, 1))


def test_names():
    assert get_loss("l1") is l1
    with pytest.raises(InputError, match="unknown loss 'l11'; did you mean 'l1'"):
        get_loss("l11")


def test_a_weighted_sum():
    loss: Any = get_loss({"l1": 2, "mse": 0.5})
    assert isinstance(loss, WeightedSum) and not jax.tree.leaves(loss)
    each = loss.each(SR, HR)
    np.testing.assert_allclose(each, [l1(SR, HR), mse(SR, HR)], rtol=1e-6)
    np.testing.assert_allclose(loss(SR, HR), 2 * each[0] + 0.5 * each[1], rtol=1e-6)
    assert loss.named(each) == {"loss/l1": each[0], "loss/mse": each[1]}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, r"loss: expected a name or \{name: weight, ...\}, got {}"),
        (["l1"], "loss: expected a name"),
        (3, "loss: expected a name"),
        ({"l1": 1, "l3": 1}, "unknown loss 'l3'"),
        ({3: 1}, "unknown loss '3'"),
        ({"l1": 0}, "the weight of 'l1' must be a positive number: 0"),
        ({"l1": -1.0}, "the weight of 'l1'"),
        ({"l1": True}, "the weight of 'l1'"),
        ({"l1": "1"}, "the weight of 'l1'"),
        ({"l1": float("nan")}, "the weight of 'l1'"),
        ({"l1": float("inf")}, "the weight of 'l1'"),
        ({"l1": 10**400}, "the weight of 'l1'"),
        ("vgg", "unknown loss 'vgg'.*vgg19_LAYER"),
        ({"l1": {"mse": 1}}, "the weight of 'l1'"),
    ],
)
def test_specs_that_are_refused(spec, message):
    with pytest.raises(InputError, match=message) as error:
        get_loss(spec)
    assert "\n" not in str(error.value)
