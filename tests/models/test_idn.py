"""IDN against plain PyTorch operations and the authors' weights."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.idn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model

Y: Any = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
SMALL: dict[str, Any] = {"blocks": 2, "features": 16}


def small(scale=2, **arguments) -> Any:
    return create_model("idn", scale=scale, **{**SMALL, **arguments})


@pytest.mark.parametrize("padding", ["zero", "edge"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale, padding):
    from benchmarks.pytorch.idn import idn

    same_as_pytorch(small(scale, padding=padding), Y, LAYOUTS[0], idn)


@pytest.mark.parametrize("padding", [{}, {"padding": "edge"}])
def test_recognised(fake_params, padding):
    model = small(**padding)
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales) == ("idn", (2, 3, 4))
    assert found.args == SMALL | padding


def test_public_weights(reference):
    """The golden residual is of the padded LR, of 1 row and column more before, 2 after."""
    from safetensors.numpy import load_file

    golden = np.load(reference / "weights" / "golden" / "idn_x2.npz")
    layout: Any = LAYOUTS[1]
    file = layout.convert(load_file(reference / "weights" / "idn_x2.safetensors"))
    found: Any = layout.detect(file)
    assert (found.model, found.args) == ("idn", {"padding": "edge"})
    model: Any = create_model("idn", scale=2, **found.args)
    variables = from_file(layout, model, file, "the file")
    lr = golden["x"][:, 1:-1, 1:-1]
    sr = jax.jit(model.apply)(variables, lr)
    np.testing.assert_allclose(sr - imresize(lr, 2), golden["y"][:, 1:-2, 1:-2], atol=1e-4)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_with_a_zero_last_layer_it_is_bicubic(fake_params, scale):
    model = small(scale)
    variables = fake_params(model, Y)
    variables["params"]["upsample"] = jax.tree.map(np.zeros_like, variables["params"]["upsample"])
    np.testing.assert_array_equal(jax.jit(model.apply)(variables, Y), imresize(Y, scale))


def test_padding_changes_the_border_only(fake_params):
    lr = np.random.default_rng(8).random((1, 30, 30, 1), np.float32)
    variables = fake_params(small(blocks=1), lr)
    zero, edge = (
        jax.jit(small(blocks=1, padding=padding).apply)(variables, lr)
        for padding in ("zero", "edge")
    )
    change = np.abs(zero - edge)
    # Eight 3x3 convolutions and half of the 17x17 one reach 8 + 4 pixels of LR.
    assert change[0, 0].max() > 1e-3
    assert change[:, 26:34, 26:34].max() == 0
