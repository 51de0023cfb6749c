"""MSRResNet against plain PyTorch operations, through the names of its toolboxes."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.msrresnet import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 4}


def small(scale: int, **fields: Any) -> Any:
    return create_model("msrresnet", scale=scale, **SMALL | fields)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.msrresnet import msrresnet

    same_as_pytorch(small(scale), LR, LAYOUTS[0], msrresnet)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_recognised(fake_params, layout, scale):
    fields = {"activate_upsampler": False} if layout.toolbox == "mmagic" else {}
    model = small(scale, **fields)
    state = to_file(layout, model, fake_params(model, LR))
    found = layout.detect(state)
    assert found.model == "msrresnet" and found.scales == (scale,)
    assert found.args == SMALL | fields
    assert [other.toolbox for other in LAYOUTS if other.detect(state)] == [layout.toolbox]
    name = {"BasicSR": "upconv1", "KAIR": "upconv1", "mmagic": "upsample1.upsample_conv"}
    assert f"{name[layout.toolbox]}.weight" in state


def test_a_zero_tail_gives_the_bilinear_image(fake_params):
    model = small(3)
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    want = imresize(LR, 3, kernel="bilinear")
    np.testing.assert_allclose(model.apply(variables, LR), want, atol=1e-6)


def test_without_activation_after_the_shuffle(fake_params):
    """mmagic's: with positive features there is nothing to activate, else there is."""
    model, plain = (small(2, blocks=0, activate_upsampler=on) for on in (True, False))
    variables = fake_params(model, LR)
    assert np.abs(model.apply(variables, LR) - plain.apply(variables, LR)).max() > 1e-3
    variables["params"]["upsample0"]["bias"] = np.full(16, 100.0, np.float32)
    np.testing.assert_array_equal(model.apply(variables, LR), plain.apply(variables, LR))
