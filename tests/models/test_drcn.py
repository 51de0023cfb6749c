"""DRCN against plain PyTorch operations, and its recursion."""

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.drcn import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters
from jaxsr.models.drcn import Recursion

Y = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
SMALL = {"features": 6, "recursions": 3}


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.drcn import drcn

    same_as_pytorch(create_model("drcn", scale=scale, **SMALL), Y, LAYOUTS[0], drcn)


@pytest.mark.parametrize("args", [{"features": 6}, SMALL])
def test_recognised(fake_params, args):
    model = create_model("drcn", scale=2, **args)
    found = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales, found.args) == ("drcn", (2, 3, 4), args)


def test_recursions_share_their_parameters():
    few, many = (create_model("drcn", scale=2, features=6, recursions=n) for n in (2, 9))
    assert count_parameters(many) - count_parameters(few) == 7  # a weight in the sum each


def test_supervised_outputs(fake_params):
    """The result is their weighted sum."""
    model = create_model("drcn", scale=2, **SMALL)
    variables = fake_params(model, Y)
    weights = np.array([0.5, 0.3, 0.2], np.float32)
    variables["params"]["weights"] = weights
    sr, extra = model.apply(variables, Y, mutable="supervised")
    estimates = extra["supervised"]["sr"]
    assert len(estimates) == 3 and all(y.shape == sr.shape for y in estimates)
    want = sum(w * np.asarray(y) for w, y in zip(weights, estimates, strict=True))
    np.testing.assert_allclose(sr, want, atol=1e-6)
    assert set(jax.eval_shape(model.init, jax.random.key(0), Y)) == {"params"}


def test_zero_reconstruction_is_bicubic(fake_params):
    model = create_model("drcn", scale=3, **SMALL)
    variables = fake_params(model, Y)
    params = variables["params"]
    params["weights"] = np.full(3, 1 / 3, np.float32)
    last = params["reconstruction"]["conv2"]
    params["reconstruction"]["conv2"] = jax.tree.map(np.zeros_like, last)
    _, extra = model.apply(variables, Y, mutable="supervised")
    for y in extra["supervised"]["sr"]:
        np.testing.assert_array_equal(y, imresize(Y, 3))
    np.testing.assert_allclose(model.apply(variables, Y), imresize(Y, 3), atol=1e-6)


def test_the_recursion_starts_as_the_identity():
    """Features are not negative, so that ReLU leaves them, too."""
    x = Y * np.array([[[[0.5, 1.0, 2.0]]]], np.float32)
    got, _ = Recursion(3).init_with_output(jax.random.key(0, impl="rbg"), x)
    np.testing.assert_allclose(got, x, rtol=1e-6)


def test_other_files_are_not_recognised():
    for value in (np.zeros(()), np.zeros(4)):
        keys = ("embedding.0.weight", "recursion.0.weight", "weights")
        assert LAYOUTS[0].detect(dict.fromkeys(keys, value)) is None
