"""RDN against plain PyTorch operations, and its two families of weights."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.rdn import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SIZES = {"blocks": 3, "layers": 2, "growth": 5, "features": 4, "up_features": 6}
EDSR_PYTORCH, YJN870 = LAYOUTS
PORTS = {"EDSR-PyTorch": {"mean_shift": False}, "yjn870": {"mean_shift": False, "rgb_range": 1.0}}


def small(scale, **fields) -> Any:
    return create_model("rdn", scale=scale, **SIZES, **fields)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("mean_shift", [True, False])
def test_same_as_pytorch(same_as_pytorch, scale, mean_shift):
    from benchmarks.pytorch.rdn import rdn

    same_as_pytorch(small(scale, mean_shift=mean_shift), LR, EDSR_PYTORCH, rdn)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_recognised(fake_params, layout, scale):
    model = small(scale, **PORTS[layout.toolbox])
    found = layout.detect(to_file(layout, model, fake_params(model, LR)))
    assert (found.model, found.scales) == ("rdn", (scale,))
    assert found.args == SIZES | PORTS[layout.toolbox]


@pytest.mark.parametrize("fields", [{}, {"rgb_range": 1.0}])
def test_mean_shift_is_recognised_by_its_tensors(fake_params, fields):
    model = small(2, **fields)
    found = EDSR_PYTORCH.detect(to_file(EDSR_PYTORCH, model, fake_params(model, LR)))
    assert found.args == SIZES | fields


def test_variant_a_of_the_ports_has_a_narrow_upsampler(fake_params):
    thin = {"features": 2, "up_features": 32, "mean_shift": False}
    model: Any = create_model("rdn_a", scale=4, **thin)
    found = EDSR_PYTORCH.detect(to_file(EDSR_PYTORCH, model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == ("rdn_a", (4,), thin)


def test_names_of_the_ports(fake_params):
    model = small(4)
    variables = fake_params(model, LR)
    state = to_file(EDSR_PYTORCH, model, variables)
    assert state["RDBs.2.convs.1.conv.0.weight"].shape == (5, 9, 3, 3)
    assert state["RDBs.0.LFF.weight"].shape == (4, 14, 1, 1)
    assert state["UPNet.4.weight"].shape == (3, 6, 3, 3)
    state = to_file(YJN870, model, variables)
    assert state["rdbs.2.layers.1.conv.weight"].shape == (5, 9, 3, 3)
    assert state["upscale.2.weight"].shape == (24, 6, 3, 3)
    assert state["output.bias"].shape == (3,)


def test_zero_tail_is_the_mean_colour_or_black(fake_params):
    for mean_shift in (True, False):
        model = small(2, mean_shift=mean_shift)
        variables = fake_params(model, LR)
        variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
        sr = model.apply(variables, LR)
        want = mean_shift * np.array([0.4488, 0.4371, 0.4040])
        np.testing.assert_allclose(sr, np.broadcast_to(want, sr.shape), rtol=1e-6)
