"""MSRResNet0 against plain PyTorch operations, through the names of KAIR."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts import LAYOUTS as ALL
from jaxsr.interop.layouts.msrresnet0 import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 4}


def small(scale: int, **fields: Any) -> Any:
    return create_model("msrresnet0", scale=scale, **SMALL | fields)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("tail_bias", [False, True])
def test_same_as_pytorch(same_as_pytorch, scale, tail_bias):
    from benchmarks.pytorch.msrresnet0 import msrresnet0

    same_as_pytorch(small(scale, tail_bias=tail_bias), LR, LAYOUTS[0], msrresnet0)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("fields", [{}, {"tail_bias": True}])
def test_recognised(fake_params, scale, fields):
    model = small(scale, **fields)
    state = to_file(LAYOUTS[0], model, fake_params(model, LR))
    found = [layout.detect(state) for layout in ALL if layout.convert is None]
    (found,) = [one for one in found if one is not None]
    assert found.model == "msrresnet0" and found.args == SMALL | fields
    assert found.scales == ((2, 3) if scale in (2, 3) else (scale,))


def test_a_zero_tail_is_black(fake_params):
    model = small(4)
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    assert not np.any(model.apply(variables, LR))


@pytest.mark.parametrize("value", [np.zeros(()), np.zeros(4)])
def test_other_files_are_not_recognised(value):
    keys = ("model.0", "model.1.sub.0.res.0", "model.3", "model.7")
    assert LAYOUTS[0].detect({f"{key}.weight": value for key in keys}) is None
