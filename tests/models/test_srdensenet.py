"""SRDenseNet against plain PyTorch operations."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.srdensenet import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

Y: Any = np.random.default_rng(8).random((1, 5, 7, 1), np.float32)
SMALL: dict[str, Any] = {"blocks": 2, "layers": 3, "growth": 4, "features": 6}


def small(scale=2) -> Any:
    return create_model("srdensenet", scale=scale, **SMALL)


@pytest.mark.parametrize("scale", [2, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.srdensenet import srdensenet

    same_as_pytorch(small(scale), Y, LAYOUTS[0], srdensenet)


@pytest.mark.parametrize("scale", [2, 4])
def test_recognised(fake_params, scale):
    model = small(scale)
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, Y)))
    assert (found.model, found.scales, found.args) == ("srdensenet", (scale,), SMALL)


def test_layers_after_the_first_see_their_block_only():
    """Input channels: all earlier features for a block's first layer, then 4 per layer."""
    params = jax.eval_shape(small().init, jax.random.key(0), Y)["params"]
    channels = [
        [params[f"block{i}"][f"conv{j}"]["kernel"].shape[2] for j in range(3)] for i in range(2)
    ]
    assert channels == [[12, 4, 8], [24, 4, 8]]
    assert params["bottleneck"]["kernel"].shape == (1, 1, 36, 6)


def test_with_a_zero_tail_it_is_the_bias(fake_params):
    model = small()
    variables = fake_params(model, Y)
    kernel = variables["params"]["tail"]["kernel"]
    variables["params"]["tail"] = {
        "kernel": np.zeros_like(kernel),
        "bias": np.array([0.5], np.float32),
    }
    np.testing.assert_array_equal(jax.jit(model.apply)(variables, Y), np.full((1, 10, 14, 1), 0.5))
