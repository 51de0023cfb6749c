"""FSRCNN against plain PyTorch operations and the authors' weights."""

import numpy as np
import pytest

from jaxsr.interop.layouts.fsrcnn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

Y = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
RGB = np.random.default_rng(9).random((1, 5, 7, 3), np.float32)
SIZES = {"features": 4, "shrunk": 3, "mappings": 2}


@pytest.mark.parametrize("shared_slopes", [False, True])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale, shared_slopes):
    from benchmarks.pytorch.fsrcnn import fsrcnn

    model = create_model("fsrcnn", scale=scale, shared_slopes=shared_slopes, **SIZES)
    same_as_pytorch(model, Y, LAYOUTS[0], fsrcnn)
    same_as_pytorch(model.clone(channels=3), RGB, LAYOUTS[0], fsrcnn)


@pytest.mark.parametrize(("name", "parameters"), [("fsrcnn", 12_809), ("fsrcnn_s", 4_086)])
def test_parameters_of_rgb(name, parameters):
    """2 x 25 x d more of the first layer, 2 x 81 x d of the last and 2 of its biases."""
    model = create_model(name, scale=2, channels=3)
    assert model.colour == "rgb"
    assert count_parameters(model) == parameters + 2 * (25 + 81) * model.features + 2


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize(
    ("name", "args"), [("fsrcnn", {}), ("fsrcnn_s", {}), ("fsrcnn", SIZES | {"mappings": 0})]
)
@pytest.mark.parametrize("more", [{}, {"shared_slopes": True}, {"channels": 3}])
def test_recognised(fake_params, layout, name, args, more):
    model = create_model(name, scale=3, **args, **more)
    x = RGB if model.channels == 3 else Y
    found = layout.detect(to_file(layout, model, fake_params(model, x)))
    assert (found.model, found.scales) == (name, (2, 3, 4))
    assert found.args == args | more | ({"padding": "edge"} if layout.convert else {})


@pytest.mark.parametrize(
    ("name", "scale", "kind"),
    [("fsrcnn_x2", 2, "fsrcnn"), ("fsrcnn_x3", 3, "fsrcnn"), ("fsrcnn_s_x2", 2, "fsrcnn_s")],
)
def test_authors_weights(reference, name, scale, kind):
    loadmat = pytest.importorskip("scipy.io").loadmat
    golden = np.load(reference / "weights" / "golden" / f"{name}.npz")
    file = loadmat(reference / "weights" / f"{name}.mat")
    layout = LAYOUTS[-1]
    state = layout.convert({k: v for k, v in file.items() if not k.startswith("__")})
    found = layout.detect(state)
    assert found.model == kind
    assert found.args == {"shared_slopes": True, "padding": "edge"}
    model = create_model(kind, scale=scale, **found.args)
    sr = model.apply(from_file(layout, model, state, name), golden["x"])
    np.testing.assert_allclose(sr, golden["y"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("scale", "centre"), [(2, 0), (3, 1), (4, 0)])
@pytest.mark.parametrize("padding", ["zero", "edge"])
def test_where_the_deconvolution_is_centred(fake_params, scale, centre, padding):
    """A kernel of one tap in its middle draws every LR pixel as one HR pixel."""
    model = create_model("fsrcnn", scale=scale, padding=padding, **SIZES)
    variables = fake_params(model, Y)
    layer = variables["params"]["deconvolve"]
    layer["bias"][:] = 0
    layer["kernel_transposed"][:] = 0
    layer["kernel_transposed"][4, 4] = 1
    hit = np.asarray(model.apply(variables, Y))[0, ..., 0] != 0
    offset = centre if padding == "edge" else 0
    want = np.zeros(hit.shape, bool)
    want[offset::scale, offset::scale] = True
    np.testing.assert_array_equal(hit, want)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"mid_part.0.weight": np.zeros(()), "first_part.0.weight": np.zeros(3)},
        {f"{kind}_conv": np.array([[1, None]]) for kind in ("weights", "biases", "prelu")},
    ],
)
def test_other_files_are_not_recognised(state):
    for layout in LAYOUTS:
        converted = layout.convert(state) if layout.convert else state
        assert converted is None or layout.detect(converted) is None
