"""Where the weights of the fixed networks are found, and how files name them."""

import importlib
import re
import sys

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.files import write_state
from jaxsr.vision import TRUNKS, load, save, weights
from jaxsr.vision.file_names import trunk_from_file
from jaxsr.vision.keras import read_keras

ALEX = (64, 192, 384, 256, 256)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no packages that carry weights."""
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    return tmp_path


def _heads():
    noise = np.random.default_rng(0)
    return {f"lin{i}": noise.random(width).astype(np.float32) for i, width in enumerate(ALEX)}


def test_missing_weights_take_one_line_that_says_all(cache):
    with pytest.raises(InputError) as caught:
        load("lpips_alex")
    text = str(caught.value)
    assert "\n" not in text
    for part in ("'lpips_alex'", "jax-superres[perceptual]", "PerceptualSimilarity", str(cache)):
        assert part in text
    assert re.search("SHA-256 [0-9a-f]{64}", text)
    with pytest.raises(InputError, match=r"vgg19-dcbb9e9d\.pth .*SHA-256 begins with dcbb9e9d"):
        load("vgg19")


def test_an_unknown_name():
    with pytest.raises(InputError, match=r"unknown weights 'vgg17'; did you mean 'vgg1[69]'"):
        load("vgg17")


def test_own_files_and_the_published_one_are_found_in_the_cache(cache):
    heads = _heads()
    published = {f"lin{i}.model.1.weight": heads[f"lin{i}"].reshape(1, -1, 1, 1) for i in range(5)}
    write_state(cache / "alex.pth", published, {})
    np.testing.assert_array_equal(load("lpips_alex")["lin4"], heads["lin4"])
    save(cache / "lpips_alex.safetensors", {k: v + 1 for k, v in load("lpips_alex").items()})
    np.testing.assert_array_equal(load("lpips_alex")["lin4"], heads["lin4"] + 1)  # comes first


def test_a_package_is_read_without_being_imported(cache, tmp_path, monkeypatch):
    package = tmp_path / "site" / "lpips"
    (package / "weights" / "v0.1").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    write_state(package / "weights" / "v0.1" / "alex.pth", _heads(), {})
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    importlib.invalidate_caches()
    np.testing.assert_array_equal(load("lpips_alex")["lin0"], _heads()["lin0"])


def test_a_saved_trunk_is_the_same_again(tmp_path):
    params = weights.random_params("squeezenet1_1")
    save(tmp_path / "net.safetensors", params)
    again = load("squeezenet1_1", tmp_path / "net.safetensors")
    assert set(again) == {*TRUNKS["squeezenet1_1"].shapes, "mean", "std"}
    for key, value in params.items():
        np.testing.assert_array_equal(again[key], value)


def test_files_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "net.safetensors"
    save(path, weights.random_params("squeezenet1_1"))
    with pytest.raises(InputError, match=r"net\.safetensors: does not hold .*'conv1_1/kernel' is"):
        load("vgg16", path)
    write_state(path, {f"lin{i}": np.ones(3, np.float32) for i in range(5)}, {})
    with pytest.raises(InputError, match=r"'lin0' has the shape \(3,\), not \(64,\)"):
        load("lpips_alex", path)
    write_state(path, {f"lin{i}": np.ones(n, np.int32) for i, n in enumerate(ALEX)}, {})
    with pytest.raises(InputError, match="'lin0' is of int32"):
        load("lpips_alex", path)
    write_state(path, {"block1_conv1/kernel": np.ones(3, np.float32)}, {})
    with pytest.raises(InputError, match="'conv1/kernel' is missing"):
        load("alexnet", path)
    with pytest.raises(InputError, match="there is no such file"):
        load("vgg16", tmp_path / "none.pth")


def test_kerass_weights_are_caffes():
    """Their kernels are for BGR of 0..255 minus the mean, which is folded in."""
    params = {key: np.asarray(value) for key, value in weights.random_params("vgg16").items()}
    state = {}
    for key, value in params.items():
        if key not in ("mean", "std"):
            layer, kind = key.removeprefix("conv").split("/")
            block, number = layer.split("_")
            state[f"block{block}_conv{number}/{kind}"] = value
    got = trunk_from_file(state, TRUNKS["vgg16_caffe"])
    np.testing.assert_array_equal(got["conv1_1/kernel"], params["conv1_1/kernel"][:, :, ::-1])
    np.testing.assert_array_equal(got["conv5_3/kernel"], params["conv5_3/kernel"])
    rgb = np.array([0.2, 0.5, 0.9])
    bgr = 255 * rgb[::-1] - [103.939, 116.779, 123.68]
    np.testing.assert_allclose((rgb - got["mean"]) / got["std"], bgr[::-1], atol=1e-4)


def test_kerass_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py", reason="reads HDF5 through h5py, which is not installed")
    with h5py.File(tmp_path / "keras.h5", "w") as file:
        file.attrs["layer_names"] = [b"block1_conv1", b"block1_pool"]
        file.create_group("block1_pool").attrs["weight_names"] = []
        group = file.create_group("block1_conv1")
        group.attrs["weight_names"] = [b"block1_conv1_W_1:0", b"block1_conv1_b_1:0"]
        group["block1_conv1_W_1:0"] = np.ones((3, 3, 3, 64), np.float32)
        group["block1_conv1_b_1:0"] = np.zeros(64, np.float32)
    state = read_keras(tmp_path / "keras.h5")
    assert {key: value.shape for key, value in state.items()} == {
        "block1_conv1/kernel": (3, 3, 3, 64),
        "block1_conv1/bias": (64,),
    }
    with pytest.raises(InputError, match=r"keras\.h5: does not hold .*'conv1_2/kernel' is missing"):
        load("vgg16_caffe", tmp_path / "keras.h5")


def test_hdf5_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match="needs h5py"):
        load("vgg16_caffe", tmp_path / "keras.h5")


def test_random_weights_are_as_documented():
    """NumPy guarantees RandomState's stream; He's variance keeps features at their size."""
    params = weights.loaded("vgg_random")
    first = np.random.RandomState(0).standard_normal((3, 3, 3, 64)) * np.sqrt(2 / 27)
    np.testing.assert_array_equal(params["conv1_1/kernel"], first.astype(np.float32))
    assert float(params["conv1_1/kernel"].reshape(-1)[0]) == pytest.approx(0.4801142, abs=1e-6)
    assert float(np.std(params["conv5_3/kernel"])) == pytest.approx((2 / 4608) ** 0.5, rel=1e-2)
    assert not np.any(params["conv5_3/bias"])
