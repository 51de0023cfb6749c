"""PAN against plain PyTorch operations and its public weights."""

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.pan import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model

LR = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 8, "up_features": 6}


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.pan import pan

    same_as_pytorch(create_model("pan", scale=scale, **SMALL), LR, LAYOUTS[0], pan)


@pytest.mark.parametrize(("scale", "scales"), [(2, (2, 3)), (3, (2, 3)), (4, (4,))])
@pytest.mark.parametrize("args", [SMALL, {}], ids=["small", "full"])
def test_recognised(fake_params, scale, scales, args):
    """x2 and x3 have the same tensors."""
    model = create_model("pan", scale=scale, **args)
    found = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == ("pan", scales, args)


def test_with_a_zero_tail_is_the_bilinear_enlargement(fake_params):
    torch = pytest.importorskip("torch")
    model = create_model("pan", scale=3, **SMALL)
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    x = torch.from_numpy(LR.transpose(0, 3, 1, 2).copy())
    want = torch.nn.functional.interpolate(x, scale_factor=3, mode="bilinear", align_corners=False)
    sr = model.apply(variables, LR)
    np.testing.assert_allclose(sr, want.numpy().transpose(0, 2, 3, 1), atol=1e-6)


def test_public_weights(reference):
    from jaxsr.interop.files import read_state

    state, _ = read_state(reference / "weights" / "pan_x4.pth")
    found = LAYOUTS[0].detect(state)
    assert (found.model, found.scales, found.args) == ("pan", (4,), {})
    model = create_model("pan", scale=4)
    variables = from_file(LAYOUTS[0], model, state, "pan_x4.pth")
    golden = np.load(reference / "weights" / "golden" / "pan_x4.npz")
    sr = jax.jit(model.apply)(variables, golden["x"])
    np.testing.assert_allclose(sr, golden["y"], rtol=0, atol=1e-4)
