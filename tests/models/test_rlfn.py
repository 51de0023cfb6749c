"""RLFN against plain PyTorch operations and its public weights."""

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.rlfn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_mult_adds, count_parameters

LR = np.random.default_rng(8).random((1, 27, 34, 3), np.float32)
SMALL = {"blocks": 2, "features": 6}
NTIRE = {"middle": 48, "blocks": 4, "features": 46}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("more", [{}, {"middle": 7, "rgb_range": 1.0}], ids=["paper", "ntire"])
def test_same_as_pytorch(same_as_pytorch, scale, more):
    from benchmarks.pytorch.rlfn import rlfn

    same_as_pytorch(create_model("rlfn", scale=scale, **SMALL, **more), LR, LAYOUTS[0], rlfn)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    ("name", "args"), [("rlfn", {}), ("rlfn_s", {}), ("rlfn", NTIRE), ("rlfn", SMALL)]
)
def test_recognised(fake_params, scale, name, args):
    model = create_model(name, scale=scale, **args)
    found = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == (name, (scale,), args)


def test_size_of_the_ntire_network():
    """0.317M parameters and 19.70G for an input of 256x256 in the challenge's table."""
    model = create_model("rlfn", scale=4, **NTIRE)
    assert count_parameters(model) == 317_218
    assert count_mult_adds(model, (1024, 1024)) == pytest.approx(19.70e9, rel=5e-3)


@pytest.mark.parametrize("size", [(1, 1), (14, 20), (16, 3)])
def test_small_images_are_continued_by_their_edge(fake_params, size):
    model = create_model("rlfn", scale=2, **SMALL)
    variables = fake_params(model, LR)
    x = LR[:, : size[0], : size[1]]
    missing = [(0, max(0, 15 - n)) for n in size]
    padded = np.pad(x, ((0, 0), *missing, (0, 0)), mode="edge")
    want = model.apply(variables, padded)[:, : 2 * size[0], : 2 * size[1]]
    np.testing.assert_allclose(model.apply(variables, x), want, atol=1e-6)


def test_range_is_a_matter_of_the_weights(fake_params):
    """Pixels 255 times as large, and weights of the head as much smaller, are the same network."""
    model, unit = (create_model("rlfn", scale=2, **SMALL, rgb_range=r) for r in (255.0, 1.0))
    variables = fake_params(model, LR)
    sr = model.apply(variables, LR)
    params = variables["params"]
    params["head"]["kernel"] = params["head"]["kernel"] * 255
    params["upsample"] = jax.tree.map(lambda leaf: leaf / 255, params["upsample"])
    np.testing.assert_allclose(unit.apply(variables, LR), sr, atol=1e-3)


def test_public_weights(reference):
    from jaxsr.interop.files import read_state

    state, _ = read_state(reference / "weights" / "rlfn_x4.pth")
    found = LAYOUTS[0].detect(state)
    assert (found.model, found.scales, found.args) == ("rlfn", (4,), {})
    model = create_model("rlfn", scale=4)
    variables = from_file(LAYOUTS[0], model, state, "rlfn_x4.pth")
    golden = np.load(reference / "weights" / "golden" / "rlfn_x4.npz")
    sr = jax.jit(model.apply)(variables, golden["x"] / 255)  # stored as the network sees it
    np.testing.assert_allclose(sr, golden["y"] / 255, rtol=0, atol=1e-4)
