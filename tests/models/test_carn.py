"""CARN and CARN-M against plain PyTorch operations, and the authors' weights."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.carn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
AUTHORS = LAYOUTS[0]
MEAN = [0.4488, 0.4371, 0.4040]


def small(name, scale, **fields) -> Any:
    return create_model(name, scale=scale, features=8, **fields)


@pytest.mark.parametrize("name", ["carn", "carn_m"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, name, scale):
    from benchmarks.pytorch.carn import carn

    same_as_pytorch(small(name, scale), LR, AUTHORS, carn)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize("name", ["carn", "carn_m"])
@pytest.mark.parametrize("fields", [{}, {"scales": (2,)}, {"scales": (3,)}, {"scales": (4,)}])
def test_recognised(fake_params, layout, name, fields):
    scales = fields.get("scales", (2, 3, 4))
    model = small(name, scales[0], **fields)
    found = layout.detect(to_file(layout, model, fake_params(model, LR)))
    assert (found.model, found.scales) == (name, scales)
    assert found.args == {"features": 8, **fields}


def test_groups_are_recognised(fake_params):
    model = small("carn_m", 2, groups=2)
    found = AUTHORS.detect(to_file(AUTHORS, model, fake_params(model, LR)))
    assert found.args == {"features": 8, "groups": 2}


@pytest.mark.parametrize(
    ("name", "counts"),
    [("carn", (964_187, 1_148_827, 1_111_899)), ("carn_m", (257_051, 303_451, 294_171))],
)
def test_parameters_of_a_single_scale(name, counts):
    models: list[Any] = [create_model(name, scale=s, scales=(s,)) for s in (2, 3, 4)]
    assert tuple(map(count_parameters, models)) == counts


def test_zero_exit_is_the_mean_colour(fake_params):
    model = small("carn_m", 2)
    variables = fake_params(model, LR)
    variables["params"]["exit"] = jax.tree.map(np.zeros_like, variables["params"]["exit"])
    variables["params"]["add_mean"]["bias"] = np.array(MEAN, np.float32)
    sr = model.apply(variables, LR)
    np.testing.assert_allclose(sr, np.broadcast_to(MEAN, sr.shape), rtol=1e-6)


def test_the_blocks_of_carn_m_are_shared(fake_params):
    params = fake_params(small("carn_m", 2), LR)["params"]
    assert set(params["cascade1"]) == {"block", "fusion1", "fusion2", "fusion3"}
    assert params["cascade1"]["block"]["conv1"]["kernel"].shape == (3, 3, 2, 8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_public_weights(reference, scale):
    """The authors' CARN-M, complete, with their mean colour in it."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.pytorch.carn import carn
    from jaxsr.interop.files import read_state

    state, _ = read_state(reference / "weights" / "carn_m.pth")
    found = AUTHORS.detect(state)
    assert (found.model, found.scales, found.args) == ("carn_m", (2, 3, 4), {})
    model: Any = create_model("carn_m", scale=scale)
    variables = from_file(AUTHORS, model, state, "carn_m.pth")
    np.testing.assert_allclose(variables["params"]["add_mean"]["bias"], MEAN, rtol=1e-6)
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in state.items()}
    with torch.no_grad():
        want = carn(tensors, torch.from_numpy(LR.transpose(0, 3, 1, 2).copy()), model)
    got = model.apply(variables, LR)
    np.testing.assert_allclose(got, want.numpy().transpose(0, 2, 3, 1), atol=1e-5)
