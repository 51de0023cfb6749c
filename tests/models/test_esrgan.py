"""ESRGAN against plain PyTorch operations, through the names of its three generations of code."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.layouts.esrgan import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import MODELS, create_model
from jaxsr.models.esrgan import DenseBlock

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 4, "growth": 2}


def small(scale: int, **fields: Any) -> Any:
    return create_model("esrgan", scale=scale, **SMALL | fields)


@pytest.mark.parametrize(
    ("scale", "fields"),
    [(1, {}), (2, {}), (3, {}), (4, {}), (8, {}), (2, {"unshuffle": 1}), (4, {"plus": True})],
)
def test_same_as_pytorch(same_as_pytorch, scale, fields):
    from benchmarks.pytorch.esrgan import esrgan

    same_as_pytorch(small(scale, **fields), LR, LAYOUTS[0], esrgan)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
@pytest.mark.parametrize(
    ("scale", "fields", "scales"),
    [
        (4, {}, (4,)),
        (2, {}, (2,)),
        (1, {}, (1,)),
        (8, {}, (8,)),
        (1, {"unshuffle": 1}, (1,)),
        (2, {"unshuffle": 1}, (2, 3)),
        (4, {"plus": True}, (4,)),
    ],
)
def test_recognised(fake_params, layout, scale, fields, scales):
    """x2 and x3 by one nearest enlargement have the same tensors."""
    model = small(scale, **fields)
    state = to_file(layout, model, fake_params(model, LR))
    found = layout.detect(state)
    assert found.model == "esrgan" and found.scales == scales and found.args == SMALL | fields
    assert [other.toolbox for other in LAYOUTS if other.detect(state)] == [layout.toolbox]


def test_names_of_the_three_generations():
    """Names as the public files have them."""
    model: Any = create_model("esrgan", scale=4)
    names = [layout.names(model) for layout in LAYOUTS]
    assert [n["head"] for n in names] == ["conv_first", "conv_first", "model.0", "model.0"]
    assert [n["block22/dense3/conv5"] for n in names] == [
        "body.22.rdb3.conv5",
        "RRDB_trunk.22.RDB3.conv5",
        "model.1.sub.22.RDB3.conv5.0",
        "model.1.sub.22.RDB3.conv5",
    ]
    for layer, wanted in {
        "trunk": ["conv_body", "trunk_conv", "model.1.sub.23"],
        "upsample1": ["conv_up2", "upconv2", "model.6"],
        "hr": ["conv_hr", "HRconv", "model.8"],
        "tail": ["conv_last", "conv_last", "model.10"],
    }.items():
        assert [n[layer] for n in names[:3]] == wanted


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 5)])
def test_unshuffled_images_of_any_size(fake_params, size):
    """What is added to the right and below is the image mirrored, and is cut off again."""
    model = small(2, blocks=1)
    x = np.random.default_rng(1).random((1, *size, 3), np.float32)
    variables = fake_params(model, x)
    sr = model.apply(variables, x)
    padded = np.pad(x, ((0, 0), (0, -size[0] % 2), (0, -size[1] % 2), (0, 0)), mode="reflect")
    assert sr.shape == (1, 2 * size[0], 2 * size[1], 3)
    want = model.apply(variables, padded)[:, : 2 * size[0], : 2 * size[1]]
    np.testing.assert_allclose(sr, want, atol=1e-6)


def test_refuses_what_it_cannot_enlarge():
    with pytest.raises(InputError, match="esrgan x3 has no unshuffle 2"):
        small(3, unshuffle=2)


def test_dense_kernels_start_small():
    model: Any = DenseBlock(growth=32)
    params = model.init(jax.random.key(0, impl="rbg"), np.zeros((1, 1, 1, 32), np.float32))[
        "params"
    ]
    kernel = params["conv4"]["kernel"]
    assert np.std(kernel) == pytest.approx(0.1 * (2 / (9 * 128)) ** 0.5, rel=0.05)
    assert not np.any(params["conv4"]["bias"])


def test_public_weights(reference):
    """Real-ESRGAN's x4plus, stored in 16 bits, against independent PyTorch operations."""
    from safetensors.numpy import load_file

    state = load_file(reference / "weights" / "realesrgan_x4plus_fp16.safetensors")
    golden = np.load(reference / "weights" / "golden" / "realesrgan_x4plus.npz")
    found: Any = LAYOUTS[0].detect(state)
    assert found.model == "esrgan" and found.scales == (4,) and found.args == {}
    model: Any = create_model("esrgan", scale=4)
    # Not jitted: compiling 350 convolutions takes longer than running them one by one.
    sr = model.apply(from_file(LAYOUTS[0], model, state, "x4plus"), golden["x"])
    # The golden values are themselves 2.8e-4 from the same network in float64.
    np.testing.assert_allclose(sr, golden["y"], rtol=0, atol=5e-4)


def test_detection_refuses_other_files():
    for key in ("conv_first.weight", "model.0.weight", "body.0.rdb1.conv1.weight"):
        for shape in ((), (3,), (4, 3, 3, 3)):
            assert all(layout.detect({key: np.zeros(shape)}) is None for layout in LAYOUTS)
    assert MODELS["esrgan"].scales == (1, 2, 3, 4, 8)
