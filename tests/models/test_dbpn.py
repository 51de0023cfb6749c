"""D-DBPN and EDSR-PyTorch's DDBPN against plain PyTorch operations."""

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.dbpn import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

AUTHORS, EDSR_PYTORCH = LAYOUTS
LR = np.random.default_rng(8).random((1, 4, 5, 3), np.float32)
SMALL = {"stages": 3, "features": 6, "head_features": 8}
DDBPN = {**SMALL, "variant": "ddbpn"}


@pytest.mark.parametrize(
    ("scale", "more"), [(2, {}), (4, {}), (8, {}), (2, {"residual": True}), (4, {"stages": 2})]
)
def test_same_as_pytorch(same_as_pytorch, scale, more):
    from benchmarks.pytorch.dbpn import dbpn

    model = create_model("dbpn", scale=scale, **{**SMALL, **more})
    same_as_pytorch(model, LR, AUTHORS, dbpn)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_ddbpn_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.dbpn import ddbpn

    same_as_pytorch(create_model("dbpn", scale=scale, **DDBPN), LR, EDSR_PYTORCH, ddbpn)


@pytest.mark.parametrize(
    ("args", "counts"),
    [
        ({"stages": 10}, (8_811_086, 15_348_302, 34_026_062)),  # DBPNLL
        ({"stages": 2, "features": 32, "head_features": 128}, (341_518, 599_566, 1_336_846)),
        (
            {"stages": 6, "features": 32, "head_features": 128, "variant": "ddbpn"},
            (1_260_867, 2_207_043, 4_910_403),
        ),
    ],
    ids=["ll", "s", "ddbpn"],
)
def test_sizes_of_the_others(args, counts):
    """As the modules of the authors and of EDSR-PyTorch count them."""
    models = [create_model("dbpn", scale=scale, **args) for scale in (2, 4, 8)]
    assert tuple(map(count_parameters, models)) == counts


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize(
    ("layout", "args"),
    [(AUTHORS, SMALL), (AUTHORS, {}), (AUTHORS, {"stages": 10}), (EDSR_PYTORCH, DDBPN)],
    ids=["small", "full", "ll", "ddbpn"],
)
def test_recognised(fake_params, scale, layout, args):
    model = create_model("dbpn", scale=scale, **args)
    shapes = fake_params(model, LR) if args not in ({}, {"stages": 10}) else _zeros(model)
    state = to_file(layout, model, shapes)
    found = layout.detect(state)
    assert (found.model, found.scales, found.args) == ("dbpn", (scale,), args)
    (other,) = set(LAYOUTS) - {layout}
    assert other.detect(state) is None


def _zeros(model):
    shapes = jax.eval_shape(model.init, jax.random.key(0, impl="rbg"), LR)
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def test_with_a_zero_tail_is_the_bicubic_enlargement_or_nothing(fake_params):
    for residual in (True, False):
        model = create_model("dbpn", scale=2, **SMALL, residual=residual)
        variables = fake_params(model, LR)
        variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
        want = imresize(LR, 2) if residual else np.zeros((1, 8, 10, 3))
        np.testing.assert_allclose(model.apply(variables, LR), want, atol=1e-6)
