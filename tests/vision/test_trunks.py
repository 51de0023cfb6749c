"""The fixed networks against PyTorch's operations, through torchvision's names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.files import write_state
from jaxsr.vision import TRUNKS, load, weights

SIDES = {"vgg16": (35, 38), "vgg19": (33, 32), "alexnet": (64, 70), "squeezenet1_1": (41, 46)}


@pytest.mark.parametrize("name", SIDES)
def test_every_layer_is_pytorchs(name, tmp_path):
    """To 2e-5 of the largest value of each layer."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.pytorch import perceptual as peer

    trunk, noise = TRUNKS[name], np.random.default_rng(0)
    params = {
        key: noise.normal(0, 0.1, value.shape).astype(np.float32) if "bias" in key else value
        for key, value in weights.random_params(name).items()
    }
    state = peer.state_dict(trunk, params)
    arrays = {key: value.numpy() for key, value in state.items()}
    write_state(tmp_path / "weights.pth", {**arrays, "classifier.1.bias": np.ones(10)}, {})
    x = noise.random((1, *SIDES[name], 3), np.float32)
    got = jax.jit(lambda p, x: trunk(p, x, trunk.layers))(load(name, tmp_path / "weights.pth"), x)
    with torch.no_grad():
        want = peer.features(name, state, torch.tensor(x.transpose(0, 3, 1, 2)))
    assert len(want) == len(trunk.layers)
    for layer, y in zip(trunk.layers, want, strict=True):
        y = y.numpy().transpose(0, 2, 3, 1)
        np.testing.assert_allclose(got[layer], y, rtol=0, atol=2e-5 * np.abs(y).max())


def test_torchvisions_numbers():
    """Those that papers and toolboxes give."""
    numbers = {
        "vgg19": {"conv1_2": 2, "conv2_2": 7, "conv3_4": 16, "conv4_4": 25, "conv5_4": 34},
        "vgg16": {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15, "relu4_3": 22, "relu5_3": 29},
        "alexnet": {"relu1": 1, "relu2": 4, "relu3": 7, "relu4": 9, "relu5": 11},
        "squeezenet1_1": {"relu1": 1, "fire3": 4, "fire5": 7, "fire6": 9, "fire9": 12},
    }
    for name, layers in numbers.items():
        for layer, number in layers.items():
            assert TRUNKS[name].layers[number] == layer


def test_gray_is_three_equal_channels_and_bfloat16_is_computed_in_float32():
    trunk, params = TRUNKS["vgg_random"], weights.loaded("vgg_random")
    gray = jnp.linspace(0, 1, 64).reshape(1, 8, 8, 1).astype(jnp.bfloat16)
    got = trunk(params, gray, ["conv1_1"])["conv1_1"]
    assert got.dtype == jnp.float32
    rgb = jnp.broadcast_to(gray, (1, 8, 8, 3)).astype(jnp.float32)
    np.testing.assert_array_equal(got, trunk(params, rgb, ["conv1_1"])["conv1_1"])


def test_an_unknown_layer():
    with pytest.raises(InputError, match="unknown layer 'conv5_4'; did you mean 'conv5_3'"):
        TRUNKS["vgg16"]({}, jnp.zeros((1, 8, 8, 3)), ["conv5_4"])
