"""VDSR against plain PyTorch operations, and what its published weights are."""

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.vdsr import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

Y = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
RGB = np.random.default_rng(9).random((1, 5, 7, 3), np.float32)
SMALL = {"depth": 4, "features": 6}
OF_RGB = {
    "EDSR-PyTorch": {"channels": 3, "rgb_range": 255.0},
    "torchSR": {"channels": 3, "pytorch_bicubic": True},
}


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale, biases):
    from benchmarks.pytorch.vdsr import vdsr

    same_as_pytorch(create_model("vdsr", scale=scale, biases=biases, **SMALL), Y, LAYOUTS[0], vdsr)


@pytest.mark.parametrize("args", OF_RGB.values(), ids=OF_RGB)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_rgb_is_the_same_as_pytorch(same_as_pytorch, scale, args):
    from benchmarks.pytorch.vdsr import vdsr_rgb

    model = create_model("vdsr", scale=scale, **SMALL, **args)
    assert model.colour == "rgb"
    same_as_pytorch(model, RGB, LAYOUTS[2], vdsr_rgb)


def test_parameters_of_rgb():
    """4 x 9 x 64 more of the first and the last layer and 2 of its biases."""
    assert count_parameters(create_model("vdsr", scale=2, channels=3)) == 665_921 + 2_304 + 2


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("args", [{}, {"biases": False}, SMALL])
def test_recognised(fake_params, layout, args):
    args = args | OF_RGB.get(layout.toolbox, {})
    model = create_model("vdsr", scale=3, **args)
    state = to_file(layout, model, fake_params(model, RGB if model.channels == 3 else Y))
    found = layout.detect(state)
    assert (found.model, found.scales, found.args) == ("vdsr", (2, 3, 4), args)
    assert [other.toolbox for other in LAYOUTS if other.detect(state)] == [layout.toolbox]


def test_zero_last_layer_is_bicubic(fake_params):
    model = create_model("vdsr", scale=3, **SMALL)
    variables = fake_params(model, Y)
    last = variables["params"]["conv3"]
    variables["params"]["conv3"] = jax.tree.map(np.zeros_like, last)
    np.testing.assert_array_equal(model.apply(variables, Y), imresize(Y, 3))


def test_published_weights(reference):
    """The file holds one bias-free network for every scale, which adds detail to bicubic."""
    files = pytest.importorskip("jaxsr.interop.files")
    path = reference / "weights" / "vdsr_twtygqyy.pth"
    state, _ = files.read_state(path)
    found = LAYOUTS[0].detect(state)
    assert (found.model, found.scales, found.args) == ("vdsr", (2, 3, 4), {"biases": False})
    model = create_model("vdsr", scale=2, **found.args)
    variables = from_file(LAYOUTS[0], model, state, str(path))
    step = np.zeros((1, 12, 12, 1), np.float32)
    step[:, :, 6:] = 0.8
    bicubic = np.asarray(imresize(step, 2))[0, 12, :, 0]
    sr = np.asarray(model.apply(variables, step))[0, 12, :, 0]
    edge = np.where(np.arange(24) < 12, 0, 0.8)
    assert np.abs(sr - edge).sum() < 0.8 * np.abs(bicubic - edge).sum()


def test_other_files_are_not_recognised():
    keys = ("input", "output", "conv1.0", "conv2", "trunk.0.conv", "residual_layer.0.conv")
    keys += ("body.0", "body.2", "body.0.0", "body.1.0")
    for layout in LAYOUTS:
        for value in (np.zeros(()), np.zeros(4)):
            assert layout.detect({f"{key}.weight": value for key in keys}) is None
