"""LapSRN against plain PyTorch operations, the authors' weights and bilinear interpolation."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.lapsrn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model

Y: Any = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
SMALL: dict[str, Any] = {"depth": 2, "features": 4}
PORT: dict[str, Any] = {**SMALL, "up_size": 4, "bias": False}


def small(scale=2, **arguments) -> Any:
    return create_model("lapsrn", scale=scale, **{**SMALL, **arguments})


@pytest.mark.parametrize(
    ("scale", "arguments"), [(2, SMALL), (3, SMALL), (4, SMALL), (8, SMALL), (4, PORT)]
)
def test_same_as_pytorch(same_as_pytorch, scale, arguments):
    from benchmarks.pytorch.lapsrn import lapsrn

    same_as_pytorch(small(scale, **arguments), Y, LAYOUTS[0], lapsrn)


@pytest.mark.parametrize("arguments", [SMALL, PORT])
@pytest.mark.parametrize(("scale", "scales"), [(2, (2,)), (3, (3, 4)), (4, (3, 4)), (8, (8,))])
def test_recognised(fake_params, scale, scales, arguments):
    model = small(scale, **arguments)
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales, found.args) == ("lapsrn", scales, arguments)


def test_public_weights(reference):
    from safetensors.numpy import load_file

    golden = np.load(reference / "weights" / "golden" / "lapsrn_x4.npz")
    layout: Any = LAYOUTS[1]
    file = layout.convert(load_file(reference / "weights" / "lapsrn_x4.safetensors"))
    found: Any = layout.detect(file)
    assert (found.model, found.scales, found.args) == ("lapsrn", (3, 4), {})
    model: Any = create_model("lapsrn", scale=4)
    variables = from_file(layout, model, file, "the file")
    sr = jax.jit(model.apply)(variables, golden["x"])
    np.testing.assert_allclose(sr, golden["y"], atol=1e-4)


def test_starts_as_bilinear_interpolation():
    """Without the residual; PyTorch's own, away from the border, where zeros come in."""
    torch = pytest.importorskip("torch")
    model = small()
    params = dict(model.init(jax.random.key(0, impl="rbg"), Y)["params"])
    level = {
        **params["level0"],
        "residual": jax.tree.map(np.zeros_like, params["level0"]["residual"]),
    }
    sr = model.apply({"params": {**params, "level0": level}}, Y)
    want = torch.nn.functional.interpolate(
        torch.from_numpy(Y[..., 0])[None], scale_factor=2, mode="bilinear"
    )
    np.testing.assert_allclose(sr[0, 1:-1, 1:-1, 0], want[0, 0, 1:-1, 1:-1], atol=1e-6)


@pytest.mark.parametrize(("scale", "sizes"), [(2, []), (3, [2]), (4, [2]), (8, [2, 4])])
def test_inner_levels_are_supervised(fake_params, scale, sizes):
    model = small(scale)
    _, sown = model.apply(fake_params(model, Y), Y, mutable=["supervised"])
    shapes = [image.shape for image in sown.get("supervised", {}).get("sr", ())]
    assert shapes == [(1, 5 * s, 7 * s, 1) for s in sizes]


def test_an_inner_level_is_the_network_of_its_scale(fake_params):
    """The image of the x4 network's first level is what the x2 network gives."""
    model = small(4)
    variables = fake_params(model, Y)
    _, sown = model.apply(variables, Y, mutable=["supervised"])
    params = {name: variables["params"][name] for name in ("head", "level0")}
    np.testing.assert_allclose(
        sown["supervised"]["sr"][0], small(2).apply({"params": params}, Y), atol=1e-6
    )
