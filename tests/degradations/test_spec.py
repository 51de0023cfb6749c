"""Degradations as plain data: round trips, refusals, files of kernels."""

import io
import json
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image
from scipy import io as scipy_io
from scipy import ndimage

from jaxsr.degradations import PRESETS, STEPS, get_degradation, read_spec, resolve
from jaxsr.errors import InputError

KEY = jax.random.key(0)
DOWN = {"op": "downsample"}


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_presets_survive_json(name, scale):
    spec = resolve(name, scale)
    assert get_degradation(name, scale).spec == spec
    back = resolve(json.loads(json.dumps(spec)), scale)
    assert back == spec


def test_what_is_left_out_is_filled_in():
    spec = resolve([{"op": "jpeg", "quality": 50}, DOWN | {"modes": "area"}], 2)
    assert spec == [
        {"op": "jpeg", "quality": [50, 50], "integer": False, "p": 1.0},
        {"op": "downsample", "modes": {"area": 1.0}, "edge": "symmetric"},
    ]
    assert set(STEPS) >= {step["op"] for name in PRESETS for step in resolve(name, 4)}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"op": "blurr"}, "step 1: unknown op 'blurr'; did you mean 'blur'?"),
        ({"op": "blur", "sgima": 1}, "step 1 (blur): no field 'sgima'; did you mean 'sigma'?"),
        ({"op": "blur", "sigma": [-1, 2]}, "(blur): sigma must be above 0, got (-1, 2)"),
        ({"op": "blur", "sigma": [3, 2]}, "(blur): sigma must be (low, high), got (3, 2)"),
        ({"op": "blur", "sigma": "wide"}, "sigma: expected a number or [low, high], got 'wide'"),
        ({"op": "blur", "sigma": [1, float("nan")]}, "sigma: expected a number or [low, high]"),
        ({"op": "blur", "size": 8}, "size must be odd whole numbers, got (8, 8)"),
        ({"op": "blur", "kinds": {"isoo": 1}}, "kinds has no 'isoo'; did you mean 'iso'?"),
        ({"op": "blur", "kinds": {}}, "the weights of kinds must be 0 or more and not all 0"),
        ({"op": "blur", "kinds": {"iso": -1}}, "the weights of kinds must be 0 or more"),
        ({"op": "blur", "p": 1.5}, "p is a probability, 0 to 1, got 1.5"),
        ({"op": "blur", "edge": "mirror"}, "edge must be one of reflect, symmetric"),
        ({"op": "blur", "descending": 1}, "descending: expected bool, got 1"),
        ({"op": "jpeg", "quality": 0}, "(jpeg): quality must be at least 1 and at most 100"),
        ({"op": "jpeg", "quality": [90, 101]}, "(jpeg): quality must be at least 1"),
        ({"op": "jpeg", "quality": 0.5, "integer": True}, "quality must be"),
        ({"op": "noise", "sigma": [0, 256]}, "(noise): sigma must be at least 0 and at most 255"),
        ({"op": "resize", "up": 0.5}, "(resize): up must be at least 1 and at most 8"),
        ({"op": "resize", "down": 0}, "(resize): down must be above 0 and at most 1"),
        ({"op": "resize", "modes": "lanczos"}, "(resize): modes has no 'lanczos'; known: "),
        ({"op": "kernel"}, "(kernel): give kernels or a file of them"),
        ({"op": "kernel", "kernels": [[[1, 2], [3]]]}, "kernel 1 of 1 is no rectangle"),
        ({"op": "kernel", "kernels": [[[1, -1]]]}, "kernel 1 of 1 sums up to 0"),
        ({"op": "kernel", "kernels": [[["a"]]]}, "expected a list of kernels"),
        ({"op": "kernel", "kernels": [[[1] * 128]]}, "kernel 1 of 1 is larger than 127x127"),
        ({"op": "blur", "sigma": [1, 10**400]}, "sigma: expected a number or [low, high]"),
        ({"op": "blur", "sigma": [1, 10**30]}, "sigma: expected a number or [low, high]"),
        ({"op": "sharpen", "radius": 128}, "(sharpen): radius must be 1 to 127"),
        ({"op": "choice"}, "(choice): options must not be empty"),
        ({"op": "choice", "options": [{"steps": [], "weight": 0}]}, "options' weights must be"),
        (
            {"op": "choice", "options": [{"steps": [DOWN, {"op": "jpeg", "quality": 0}]}]},
            "step 1 (choice), options 1, step 2 (jpeg): quality must be at least 1",
        ),
        (
            {"op": "shuffle", "steps": [{"op": "noise", "sigma": -1}]},
            "step 1 (shuffle), step 1 (noise): sigma must be at least 0",
        ),
        ({"sigma": 1}, 'step 1: expected {"op": NAME, ...}, got {'),
        ("blur", "step 1: expected {"),
    ],
)
def test_refusals_name_the_step(step: Any, message):
    with pytest.raises(InputError) as error:
        get_degradation([step, DOWN], 2)
    assert message in str(error.value)
    assert str(error.value).startswith("degradation: step 1")
    assert "\n" not in str(error.value)


def test_it_must_end_at_the_size_of_lr():
    resize = {"op": "resize", "down": 0.5}
    for spec in ([], [resize], [DOWN, resize], [{"op": "choice", "options": [{"steps": []}]}]):
        with pytest.raises(InputError, match="must be downsample or decimate"):
            get_degradation(spec, 2)
    with pytest.raises(InputError, match="must be downsample or decimate"):
        get_degradation([resize], 1)
    get_degradation([{"op": "jpeg"}], 1)
    with pytest.raises(InputError, match="scale must be a whole number, 1 to 16, got 0"):
        get_degradation("bicubic", 0)
    with pytest.raises(InputError, match="expected a list of steps, got 3"):
        get_degradation(3, 2)  # pyright: ignore[reportArgumentType]


def test_a_point_of_light_becomes_the_kernel():
    """Convolution, as SciPy's; of even size, centred on the pixel after the middle."""
    spot = np.zeros((9, 9, 1), np.float32)
    spot[4, 4] = 1
    kernels = np.random.default_rng(0).random((2, 3, 3))
    for kernel in (kernels[0], kernels[0, :2, :2]):
        degrade = get_degradation([{"op": "kernel", "kernels": [kernel.tolist()]}], 1)
        want = ndimage.convolve(spot[..., 0], kernel / kernel.sum(), mode="nearest")
        np.testing.assert_allclose(degrade(KEY, spot)[..., 0], want, atol=1e-6)
    both = get_degradation([{"op": "kernel", "kernels": kernels.tolist()}], 1)
    lr = both(KEY, np.stack([spot] * 16))[:, 3:6, 3:6, 0]
    chosen = [int(np.argmin([np.abs(x - k / k.sum()).max() for k in kernels])) for x in lr]
    assert set(chosen) == {0, 1}


def written(path, kernel):
    """A file of each kind that holds the kernel."""
    if path.suffix == ".npy":
        np.save(path, kernel)
    elif path.suffix == ".npz":
        np.savez(path, kernel=kernel)
    elif path.suffix == ".mat":
        cells = np.empty((1, 1), object)
        cells[0, 0] = kernel
        scipy_io.savemat(path, {"kernels": cells})
    elif path.suffix == ".json":
        path.write_text(json.dumps(kernel.tolist()))
    else:
        Image.fromarray(np.uint8(kernel)).save(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".json", ".png"])
def test_kernel_files(suffix, tmp_path):
    kernel = np.random.default_rng(1).integers(0, 256, (5, 5)).astype(np.float64)
    written(tmp_path / f"k{suffix}", kernel)
    spec = [{"op": "kernel", "file": f"k{suffix}"}, DOWN]
    (tmp_path / "my.json").write_text(json.dumps(spec))
    resolved = resolve(read_spec(tmp_path / "my.json"), 2)
    assert resolved[0]["file"] == ""
    np.testing.assert_array_equal(resolved[0]["kernels"], kernel[None])
    (tmp_path / f"k{suffix}").unlink()
    assert resolve(resolved, 2) == resolved  # complete without the file


def test_the_twelve_kernels_of_kair(reference):
    path = reference / "weights" / "kernels" / "kernels_12.mat"
    spec = resolve([{"op": "kernel", "file": str(path)}, DOWN], 2)
    want = list(scipy_io.loadmat(path)["kernels"].ravel())
    np.testing.assert_array_equal(spec[0]["kernels"], want)


def test_files_that_hold_no_kernels(tmp_path):
    def message(name, data=None):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InputError) as error:
            resolve([{"op": "kernel", "file": str(path)}, DOWN], 2)
        assert str(path) in str(error.value)
        return str(error.value)

    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object))
    assert "cannot be read" in message("missing.npy")
    assert "kernels are read from .npy" in message("kernel.txt", b"1 2")
    for name in ("bad.npy", "bad.mat", "bad.npz", "bad.png"):
        message(name, b"nonsense")
    assert "no kernels" in message("pickled.npy", buffer.getvalue())
    assert "no kernels" in message("ragged.json", b"[[1, 2], [3]]")
    assert "expected arrays of two axes" in message("number.json", b"3")
    assert "no kernels" in message("deep.json", b"[" * 100000)
    with pytest.raises(InputError, match="no JSON"):
        read_spec(tmp_path / "deep.json")
    with pytest.raises(InputError, match="a degradation is a list of steps"):
        read_spec(next(tmp_path.glob("number.json")))
    with pytest.raises(InputError, match="cannot be read"):
        read_spec(tmp_path / "none.json")
