"""EnhanceNet against plain PyTorch operations and the authors' weights."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.interop.layouts.enhancenet import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.enhancenet import tf1_bicubic

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 4}
SKIPS = ["bicubic", "tf1"]


def small(skip: str = "bicubic") -> Any:
    return create_model("enhancenet", scale=4, skip=skip, **SMALL)


@pytest.mark.parametrize("skip", SKIPS)
def test_same_as_pytorch(same_as_pytorch, skip):
    from benchmarks.pytorch.enhancenet import enhancenet

    same_as_pytorch(small(skip), LR, LAYOUTS[0], enhancenet)


@pytest.mark.parametrize("skip", SKIPS)
def test_recognised(fake_params, skip):
    model = small(skip)
    found: Any = LAYOUTS[0].detect(to_file(LAYOUTS[0], model, fake_params(model, LR)))
    assert found.model == "enhancenet" and found.scales == (4,)
    assert found.args == SMALL | ({"skip": "tf1"} if skip == "tf1" else {})


@pytest.mark.parametrize("skip", SKIPS)
def test_a_zero_tail_gives_the_skip(fake_params, skip):
    model = small(skip)
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    want = tf1_bicubic(LR, 4) if skip == "tf1" else imresize(LR, 4)
    np.testing.assert_allclose(model.apply(variables, LR), want, atol=1e-6)


def test_tf1_bicubic():
    """LR pixels stay where they are; halfway, the kernel is (-3, 19, 19, -3) / 32."""
    y = np.asarray(tf1_bicubic(LR, 4))
    np.testing.assert_allclose(y[:, ::4, ::4], LR, atol=1e-6)
    padded = np.pad(LR, ((0, 0), (1, 2), (0, 0), (0, 0)), mode="edge")
    halves = sum(
        w * padded[:, i : i + 5] for i, w in enumerate((-3 / 32, 19 / 32, 19 / 32, -3 / 32))
    )
    np.testing.assert_allclose(y[:, 2::4, ::4], halves, atol=1e-6)


def test_authors_weights(reference):
    from safetensors.numpy import load_file

    layout = LAYOUTS[1]
    assert layout.convert is not None
    state = layout.convert(load_file(reference / "weights" / "enhancenet_pat_x4.safetensors"))
    assert state is not None
    found = layout.detect(state)
    assert found is not None and found.args == {"skip": "tf1"}
    model: Any = create_model("enhancenet", scale=4, **found.args)
    golden = np.load(reference / "weights" / "golden" / "enhancenet_pat_x4_residual.npz")
    sr = jax.jit(model.apply)(from_file(layout, model, state, "PAT"), golden["x"])
    np.testing.assert_allclose(sr - tf1_bicubic(golden["x"], 4), golden["y"], rtol=0, atol=1e-4)


def test_other_files_are_not_converted():
    convert = LAYOUTS[1].convert
    assert convert is not None
    assert convert({"conv1.weight": np.zeros(())}) is None
    state = convert({"generator/Conv/weights": np.zeros(())})
    assert state is not None and LAYOUTS[1].detect(state) is None
