"""SRCNN against plain PyTorch operations and the authors' weights."""

import numpy as np
import pytest

from jaxsr.interop.layouts.srcnn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters
from jaxsr.models.srcnn import SRCNN

Y = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
RGB = np.random.default_rng(9).random((1, 5, 7, 3), np.float32)
OF_RGB = {"channels": 3, "pytorch_bicubic": True}
BY_TOOLBOX = {"authors": {"padding": "edge"}, "mmagic": OF_RGB}


@pytest.mark.parametrize("padding", ["zero", "edge"])
@pytest.mark.parametrize("name", ["srcnn", "srcnn_915"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, name, scale, padding):
    from benchmarks.pytorch.srcnn import srcnn

    same_as_pytorch(create_model(name, scale=scale, padding=padding), Y, LAYOUTS[0], srcnn)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_rgb_is_the_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.srcnn import srcnn

    model = create_model("srcnn_915", scale=scale, **OF_RGB)
    assert model.colour == "rgb" and create_model("srcnn_915", scale=scale).colour == "y"
    same_as_pytorch(model, RGB, LAYOUTS[0], srcnn, atol=2e-5)


@pytest.mark.parametrize("name", ["srcnn", "srcnn_915"])
def test_parameters_of_rgb(name):
    """2 x 81 x 64 more of the first layer, 2 x 25 x 32 of the last and 2 of its biases."""
    model = create_model(name, scale=4, channels=3)
    assert count_parameters(model) == {"srcnn": 57_281, "srcnn_915": 8_129}[name] + 11_970


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize(
    ("name", "args"), [("srcnn", {}), ("srcnn_915", {}), ("srcnn", {"kernel2": 3})]
)
def test_recognised(fake_params, layout, name, args):
    args = args | BY_TOOLBOX.get(layout.toolbox, {})
    model = create_model(name, scale=2, **args)
    state = to_file(layout, model, fake_params(model, RGB if model.channels == 3 else Y))
    found = layout.detect(state)
    assert (found.model, found.scales, found.args) == (name, (2, 3, 4), args)
    assert [other.toolbox for other in LAYOUTS if other.detect(state)] == [layout.toolbox]


@pytest.mark.parametrize("name", ["srcnn_955_x3", "srcnn_915_x3"])
def test_authors_weights(reference, name):
    """The golden input is enlarged already: the network alone is a network of scale 1."""
    loadmat = pytest.importorskip("scipy.io").loadmat
    golden = np.load(reference / "weights" / "golden" / f"{name}.npz")
    file = loadmat(reference / "weights" / f"{name}.mat")
    layout = LAYOUTS[-1]
    state = layout.convert({k: v for k, v in file.items() if not k.startswith("__")})
    found = layout.detect(state)
    assert found.model == {"srcnn_955_x3": "srcnn", "srcnn_915_x3": "srcnn_915"}[name]
    model = create_model(found.model, scale=3, **found.args)
    variables = from_file(layout, model, state, name)
    alone = SRCNN(1, kernel2=model.kernel2, padding=model.padding)
    np.testing.assert_allclose(alone.apply(variables, golden["x"]), golden["y"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "state",
    [{}, {"weights_conv1": np.array(1.0)}, {f"conv{i}.weight": np.zeros(()) for i in (1, 2, 3)}],
)
def test_other_files_are_not_recognised(state):
    for layout in LAYOUTS:
        converted = layout.convert(state) if layout.convert else state
        assert converted is None or layout.detect(converted) is None
