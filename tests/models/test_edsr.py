"""EDSR against plain PyTorch operations, through the names of its toolboxes."""

import numpy as np
import pytest

from jaxsr.interop.layouts.edsr import LAYOUTS
from jaxsr.models import create_model

LR = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.edsr import edsr

    model = create_model("edsr", scale=scale, blocks=2, features=4)
    same_as_pytorch(model, LR, LAYOUTS[0], edsr)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_recognised(fake_params, layout, scale):
    from jaxsr.interop.mapping import to_file

    model = create_model("edsr", scale=scale, blocks=2, features=4)
    found = layout.detect(to_file(layout, model, fake_params(model, LR)))
    assert found.model == "edsr" and found.scales == (scale,)
    assert found.args["blocks"] == 2 and found.args["features"] == 4
