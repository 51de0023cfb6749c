"""SRResNet against plain PyTorch operations, through the names of its ports."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.srresnet import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((2, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 4}


def small(scale: int = 4, **fields: Any) -> Any:
    return create_model("srresnet", scale=scale, **SMALL | fields)


@pytest.mark.parametrize(
    ("scale", "fields"),
    [
        (2, {}),
        (3, {}),
        (4, {}),
        (8, {}),
        (2, {"shared_slope": False}),
        (2, {"bias": False, "output": "unit"}),
        (2, {"output": "tanh"}),
    ],
)
def test_same_as_pytorch(same_as_pytorch, scale, fields):
    from benchmarks.pytorch.srresnet import srresnet

    same_as_pytorch(small(scale, **fields), LR, LAYOUTS[0], srresnet)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(
    ("layout", "fields"),
    [
        (LAYOUTS[0], {}),
        (LAYOUTS[0], {"shared_slope": False}),
        (LAYOUTS[0], {"bias": False, "output": "unit"}),
        (LAYOUTS[1], {"bias": False, "output": "unit"}),
        (LAYOUTS[2], {"output": "tanh"}),
    ],
)
def test_recognised(fake_params, layout, fields, scale):
    model = small(scale, **fields)
    state = to_file(layout, model, fake_params(model, LR))
    found = layout.detect(state)
    assert found.model == "srresnet" and found.scales == (scale,) and found.args == SMALL | fields
    assert [other.toolbox for other in LAYOUTS if other.detect(state)] == [layout.toolbox]


def test_leftthomas_names_and_counters(fake_params):
    """5 blocks are block2 to block6; the batch norms' counters have no meaning."""
    model = small(blocks=5, output="tanh")
    variables = fake_params(model, LR)
    state = to_file(LAYOUTS[2], model, variables)
    for key in ("block1.1", "block6.bn2", "block7.1", "block8.1.prelu", "block8.2"):
        assert f"{key}.weight" in state
    state["block7.1.num_batches_tracked"] = np.array(3)
    back = from_file(LAYOUTS[2], model, state, "file")
    jax.tree.map(np.testing.assert_array_equal, back, variables)


def test_instance_norm_is_not_recognised():
    """Another port of that name has InstanceNorm and LeakyReLU."""
    shapes = {
        "conv_input": (64, 3, 9, 9),
        "residual.0.conv1": (64, 64, 3, 3),
        "residual.0.in1": (64,),
        "residual.0.conv2": (64, 64, 3, 3),
        "conv_mid": (64, 64, 3, 3),
        "bn_mid": (64,),
        "upscale4x.0": (256, 64, 3, 3),
        "conv_output": (3, 64, 9, 9),
    }
    state = {f"{name}.weight": np.zeros(shape) for name, shape in shapes.items()}
    assert all(layout.detect(state) is None for layout in LAYOUTS)


def test_a_zero_tail_is_mid_gray(fake_params):
    model = small()
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    np.testing.assert_array_equal(model.apply(variables, LR), np.full((2, 20, 28, 3), 0.5))


def test_training_uses_and_gathers_the_statistics_of_the_batch(fake_params):
    """PyTorch's momentum: the running mean moves a tenth of the way."""
    model = small(2)
    variables = fake_params(model, LR)
    sr, seen = model.apply(
        variables, LR, True, mutable=["batch_stats", "intermediates"], capture_intermediates=True
    )
    assert np.abs(sr - model.apply(variables, LR)).max() > 1e-3
    old, new = (v["batch_stats"]["trunk_bn"]["mean"] for v in (variables, seen))
    mean = seen["intermediates"]["trunk"]["__call__"][0].mean((0, 1, 2))
    np.testing.assert_allclose(new, 0.9 * old + 0.1 * mean, atol=1e-6)
