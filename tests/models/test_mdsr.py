"""MDSR against plain PyTorch operations, its names, and what its scales share."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.layouts.mdsr import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
LAYOUT = LAYOUTS[0]


def small(scale, **fields) -> Any:
    return create_model("mdsr", scale=scale, **{"blocks": 2, "features": 4, **fields})


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.mdsr import mdsr

    same_as_pytorch(small(scale), LR, LAYOUT, mdsr)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("mdsr", {"blocks": 2, "features": 4}),
        ("mdsr_baseline", {"features": 4}),
        ("mdsr", {"blocks": 1, "features": 4, "scales": (4, 2), "rgb_range": 1.0}),
    ],
)
def test_recognised(fake_params, name, args):
    scales = args.get("scales", (2, 3, 4))
    model: Any = create_model(name, scale=scales[0], **args)
    found = LAYOUT.detect(to_file(LAYOUT, model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == (name, scales, args)


def test_names_of_edsr_pytorch(fake_params):
    model: Any = create_model("mdsr_baseline", scale=2, features=4)
    state = to_file(LAYOUT, model, fake_params(model, LR))
    assert state["pre_process.1.0.body.2.weight"].shape == (4, 4, 5, 5)
    assert state["upsample.1.0.weight"].shape == (36, 4, 3, 3)
    assert state["upsample.2.2.bias"].shape == (16,)
    assert state["tail.0.weight"].shape == (3, 4, 3, 3)
    assert {"body.16.weight", "sub_mean.bias"} <= set(state)
    assert len(state) == 2 * (1 + 3 * 4 + 33 + 4 + 1) + 4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_scales_share_all_but_their_heads(fake_params, scale):
    """The same variables run every scale, whatever the other scales' heads hold."""
    variables = fake_params(small(2), LR)
    want = small(scale).apply(variables, LR)
    for name in variables["params"]:
        if "_x" in name and not name.endswith(f"_x{scale}"):
            broken = jax.tree.map(lambda leaf: leaf * np.nan, variables["params"][name])
            variables["params"][name] = broken
    assert sum("_x" in name for name in variables["params"]) == 6
    np.testing.assert_array_equal(small(scale).apply(variables, LR), want)


def test_zero_tail_is_the_mean_colour(fake_params):
    variables = fake_params(small(3), LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    sr = small(3).apply(variables, LR)
    np.testing.assert_allclose(sr, np.broadcast_to([0.4488, 0.4371, 0.4040], sr.shape), rtol=1e-6)


def test_a_scale_that_it_does_not_hold(fake_params):
    variables = fake_params(small(2, scales=(2, 3)), LR)
    with pytest.raises(InputError, match="MDSR holds no scale 4; it holds 2, 3"):
        small(4, scales=(2, 3)).apply(variables, LR)
