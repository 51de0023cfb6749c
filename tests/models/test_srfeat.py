"""SRFeat against plain PyTorch operations."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.srfeat import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)


def small(blocks: int = 3) -> Any:
    return create_model("srfeat", scale=4, blocks=blocks, features=4)


def test_same_as_pytorch(same_as_pytorch):
    from benchmarks.pytorch.srfeat import srfeat

    same_as_pytorch(small(), LR, LAYOUTS[0], srfeat)


@pytest.mark.parametrize("blocks", [1, 3])
def test_recognised(fake_params, blocks):
    model = small(blocks)
    found = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, LR)))
    assert found is not None and found.model == "srfeat" and found.scales == (4,)
    assert found.args == {"blocks": blocks, "features": 4}


def test_a_zero_tail_is_mid_gray(fake_params):
    model = small()
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    np.testing.assert_array_equal(model.apply(variables, LR), np.full((1, 20, 28, 3), 0.5))


def test_every_block_but_the_last_has_a_tap(fake_params):
    params = fake_params(small(), LR)["params"]
    assert sorted(name for name in params if name.startswith("tap")) == ["tap0", "tap1"]


def test_training_changes_the_statistics(fake_params):
    model = small()
    variables = fake_params(model, LR)
    _, changed = model.apply(variables, LR, True, mutable=["batch_stats"])
    before, after = (v["batch_stats"]["block2"]["bn2"]["var"] for v in (variables, changed))
    assert np.abs(before - after).max() > 1e-4
