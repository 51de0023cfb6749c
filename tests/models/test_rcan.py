"""RCAN against plain PyTorch operations, its names, and its mean shift."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.rcan import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SIZES = {"groups": 2, "blocks": 3, "features": 8, "reduction": 4}
EDSR_PYTORCH, BASICSR = LAYOUTS


def small(scale, **fields) -> Any:
    return create_model("rcan", scale=scale, **SIZES, **fields)


@pytest.mark.parametrize(
    ("scale", "fields"),
    [
        (2, {}),
        (3, {}),
        (4, {"mean_shift": "none", "rgb_range": 1.0}),
        (8, {"mean_shift": "learned"}),
    ],
)
def test_same_as_pytorch(same_as_pytorch, scale, fields):
    from benchmarks.pytorch.rcan import rcan

    # A learned shift passes the pixels, up to 255, through random 3x3 matrices.
    atol = 1e-3 if fields.get("mean_shift") == "learned" else 1e-4
    same_as_pytorch(small(scale, **fields), LR, EDSR_PYTORCH, rcan, atol=atol)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_recognised(fake_params, layout, scale):
    model = small(scale)
    found = layout.detect(to_file(layout, model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == ("rcan", (scale,), SIZES)


@pytest.mark.parametrize(
    "fields",
    [{"rgb_range": 1.0}, {"mean_shift": "none", "rgb_range": 1.0}, {"mean_shift": "learned"}],
)
def test_mean_shift_is_recognised_by_its_tensors(fake_params, fields):
    model = small(2, **fields)
    variables = fake_params(model, LR)
    for name, sign in (("sub_mean", -1), ("add_mean", 1)):
        if name in variables["params"]:  # nearly what they start as, as in the authors' files
            mean = sign * 255 * np.array([0.4488, 0.4371, 0.4040], np.float32)
            kernel = np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3) + 1e-3
            variables["params"][name] = {"kernel": kernel, "bias": mean}
    state = to_file(EDSR_PYTORCH, model, variables)
    assert EDSR_PYTORCH.detect(state).args == SIZES | fields


def test_toolboxes_agree(fake_params):
    model = small(4)
    variables = fake_params(model, LR)
    ours, theirs = (to_file(layout, model, variables) for layout in LAYOUTS)
    assert ours["body.1.body.2.body.3.conv_du.0.weight"].shape == (2, 8, 1, 1)
    np.testing.assert_array_equal(
        ours["body.1.body.2.body.3.conv_du.2.bias"],
        theirs["body.1.residual_group.2.rcab.3.attention.3.bias"],
    )
    np.testing.assert_array_equal(ours["body.1.body.3.weight"], theirs["body.1.conv.weight"])
    back = from_file(BASICSR, model, theirs, "the state dict")
    jax.tree.map(np.testing.assert_array_equal, back, variables)


def test_zero_tail_is_the_mean_colour(fake_params):
    variables = fake_params(small(2), LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    sr = small(2).apply(variables, LR)
    np.testing.assert_allclose(sr, np.broadcast_to([0.4488, 0.4371, 0.4040], sr.shape), rtol=1e-6)


def test_attention_of_half_is_half_the_residual(fake_params):
    """With zero attention weights every channel is halved, which halving conv2 does as well."""
    model: Any = create_model("rcan", scale=2, **SIZES | {"groups": 1, "blocks": 1})
    variables = fake_params(model, LR)
    block = variables["params"]["group0"]["block0"]
    block["excite"] = jax.tree.map(np.zeros_like, block["excite"])
    want = model.apply(variables, LR)
    block["excite"]["bias"] = np.full(8, 50.0, np.float32)  # sigmoid of 50 is 1
    block["conv2"] = jax.tree.map(lambda leaf: leaf / 2, block["conv2"])
    np.testing.assert_allclose(model.apply(variables, LR), want, atol=1e-6)
