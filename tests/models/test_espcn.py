"""ESPCN against plain PyTorch operations, through the names of its toolboxes."""

import numpy as np
import pytest

from jaxsr.interop.layouts.espcn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

Y = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
RGB = np.random.default_rng(9).random((1, 5, 7, 3), np.float32)
SIGMOID = {"leftthomas": {"sigmoid": True}}


@pytest.mark.parametrize("args", [{}, {"centred": False}, {"centred": False, "sigmoid": True}])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale, args):
    from benchmarks.pytorch.espcn import espcn

    same_as_pytorch(create_model("espcn", scale=scale, **args), Y, LAYOUTS[0], espcn)
    model = create_model("espcn", scale=scale, channels=3, **args)
    same_as_pytorch(model, RGB, LAYOUTS[0], espcn)


@pytest.mark.parametrize(("scale", "parameters"), [(2, 26_796), (3, 31_131), (4, 37_200)])
def test_parameters_of_rgb(scale, parameters):
    model = create_model("espcn", scale=scale, channels=3)
    assert model.colour == "rgb" and count_parameters(model) == parameters


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("args", [{}, {"centred": False}, {"centred": False, "channels": 3}])
def test_recognised(fake_params, layout, scale, args):
    """Weights of other programs are of networks that do not centre luma; ours say that they do."""
    args = args | SIGMOID.get(layout.toolbox, {})
    model = create_model("espcn", scale=scale, **args)
    state = to_file(layout, model, fake_params(model, RGB if model.channels == 3 else Y))
    found = layout.detect(state)
    assert (found.model, found.scales, found.args) == ("espcn", (scale,), args)
    from_file(layout, create_model("espcn", scale=scale, **found.args), state, "the state dict")


def test_sigmoid_bounds_the_result(fake_params):
    model = create_model("espcn", scale=2, centred=False, sigmoid=True)
    variables = fake_params(model, Y)
    variables["params"]["conv3"]["bias"][:] = [-100.0, 0.0, 0.0, 100.0]
    sr = np.asarray(model.apply(variables, Y))
    assert np.all(sr[:, ::2, ::2] == 0) and np.all(sr[:, 1::2, 1::2] == 1)


def test_other_files_are_not_recognised():
    for layout in LAYOUTS:
        for value in (np.zeros(()), np.zeros(4)):
            keys = ("conv1", "conv2", "conv3", "first_part.0", "last_part.0", "sub_pixel.0")
            assert layout.detect({f"{key}.weight": value for key in keys}) is None
