"""DRRN against plain PyTorch operations, public weights and its recursion."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.drrn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

Y: Any = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)


def small(scale=2, **arguments) -> Any:
    return create_model("drrn", scale=scale, **{"units": 3, "features": 4, **arguments})


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale, batch_norm):
    from benchmarks.pytorch.drrn import drrn

    same_as_pytorch(small(scale, batch_norm=batch_norm), Y, LAYOUTS[0], drrn)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("drrn", {"units": 3, "features": 4}),
        ("drrn", {"features": 4}),
        ("drrn", {"features": 4, "batch_norm": False}),
        ("drrn_b1u9", {"features": 4}),
    ],
)
def test_recognised(fake_params, name, arguments):
    model: Any = create_model(name, scale=3, **arguments)
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales, found.args) == (name, (2, 3, 4), arguments)


def test_public_weights(reference):
    """A third party's DRRN; the golden values are of its exported graph."""
    from safetensors.numpy import load_file

    layout: Any = LAYOUTS[1]
    golden = np.load(reference / "weights" / "golden" / "drrn_b1u25.npz")
    file = layout.convert(load_file(reference / "weights" / "drrn_b1u25.safetensors"))
    found: Any = layout.detect(file)
    assert (found.model, found.args) == ("drrn", {"batch_norm": False})
    model: Any = create_model("drrn", scale=2, **found.args)
    variables = from_file(layout, model, file, "the file")
    # The golden input is enlarged already.
    luma = jax.jit(lambda x: model.apply(variables, x, method=lambda net, x: net._luma(x, False)))
    np.testing.assert_allclose(luma(golden["x"]), golden["y"], atol=1e-4)


@pytest.mark.parametrize("scale", [2, 3])
def test_with_a_zero_tail_it_is_bicubic(fake_params, scale):
    model = small(scale)
    variables = fake_params(model, Y)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    np.testing.assert_array_equal(jax.jit(model.apply)(variables, Y), imresize(Y, scale))


def test_units_share_their_convolutions_but_not_their_norms():
    """A unit more costs two batch norms: 2 x 2 x 4 numbers; without them nothing."""
    assert count_parameters(small(units=4)) - count_parameters(small(units=3)) == 16
    plain = [count_parameters(small(units=units, batch_norm=False)) for units in (1, 5)]
    assert plain == [2 * 9 * 4 + 2 * 9 * 16] * 2


def test_training_uses_and_keeps_the_statistics_of_the_batch(fake_params):
    model = small(units=1)
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
