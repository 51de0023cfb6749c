"""MemNet against plain PyTorch operations, and its supervised outputs."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.memnet import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

Y: Any = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
SMALL: dict[str, Any] = {"blocks": 2, "recursions": 3, "features": 4}


def small(scale=2, **arguments) -> Any:
    return create_model("memnet", scale=scale, **{**SMALL, **arguments})


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.memnet import memnet

    same_as_pytorch(small(scale), Y, LAYOUTS[0], memnet)


def test_recognised(fake_params):
    model = small()
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales, found.args) == ("memnet", (2, 3, 4), SMALL)


def test_the_output_is_the_weighted_sum_of_the_supervised_ones(fake_params):
    model = small()
    variables = fake_params(model, Y)
    sr, sown = model.apply(variables, Y, mutable=["supervised"])
    images = sown["supervised"]["sr"]
    assert len(images) == 2 and all(image.shape == sr.shape for image in images)
    weights = variables["params"]["weights"]
    np.testing.assert_allclose(sr, sum(w * y for w, y in zip(weights, images, strict=True)))


def test_with_a_zero_tail_all_outputs_are_bicubic(fake_params):
    model = small()
    variables = fake_params(model, Y)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    variables["params"]["weights"] = np.array([0.25, 0.75], np.float32)
    sr, sown = model.apply(variables, Y, mutable=["supervised"])
    for image in sown["supervised"]["sr"]:
        np.testing.assert_array_equal(image, imresize(Y, 2))
    np.testing.assert_allclose(sr, imresize(Y, 2), rtol=1e-6)


def test_recursions_share_their_convolutions():
    """One more costs, per block, two batch norms of 4 and 4 channels more into the gate."""
    more = count_parameters(small(recursions=4)) - count_parameters(small())
    assert more == 2 * (2 * 2 * 4 + 2 * 4 + 4 * 4)


def test_training_uses_and_keeps_the_statistics_of_the_batch(fake_params):
    model = small(blocks=1, recursions=1)
    variables = fake_params(model, Y)

    @jax.jit
    def train(params):
        def loss(params):
            state = {**variables, "params": params}
            sr, changed = model.apply(state, Y, True, mutable=["batch_stats"])
            return sr.sum(), (sr, changed["batch_stats"])

        return jax.grad(loss, has_aux=True)(params)

    grad, (sr, changed) = train(variables["params"])
    assert np.abs(sr - jax.jit(model.apply)(variables, Y)).max() > 1e-3
    old = variables["batch_stats"]["norm_head"]["mean"]
    want = 0.9 * old + 0.1 * np.mean(imresize(Y, 2))
    np.testing.assert_allclose(changed["norm_head"]["mean"], want, rtol=1e-5)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grad))
