"""Single steps against independent computations, and the order of several."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxsr.degradations import get_degradation
from jaxsr.degradations.pipeline import _drawn
from jaxsr.degradations.sizes import Resize
from jaxsr.degradations.step import Picture
from jaxsr.image.filters import unsharp_mask

KEY = jax.random.key(0)


def test_decimate_takes_the_documented_pixels():
    x = np.arange(12 * 12, dtype=np.float32).reshape(12, 12, 1)
    for scale, first in ((2, 0), (3, 1), (4, 1), (6, 2)):
        lr = get_degradation([{"op": "decimate"}], scale)(KEY, x)
        np.testing.assert_array_equal(lr, x[first::scale, first::scale])
        lr = get_degradation([{"op": "decimate", "aligned": False}], scale)(KEY, x)
        np.testing.assert_array_equal(lr, x[::scale, ::scale])


def test_a_shifted_blur_aligns_plain_decimation():
    """BSRGAN's [0::s] after a kernel moved by (s - 1) / 2: a spot keeps its place."""
    at = np.stack(np.mgrid[:32, :32], -1)
    spot = np.exp(-np.sum((at - (14.5, 17.5)) ** 2, -1) / 18).astype(np.float32)[..., None]
    blur = {"op": "blur", "size": 25, "sigma": 2, "shift": 1.5}
    lr = get_degradation([blur, {"op": "decimate", "aligned": False}], 4)(KEY, spot)
    centre = np.asarray(ndimage.center_of_mass(np.asarray(lr)[..., 0]))
    np.testing.assert_allclose(4 * centre + 1.5, (14.5, 17.5), atol=0.02)


def test_steps_are_applied_with_their_probability():
    steps = [{"op": "noise", "sigma": 20, "p": 0.25}, {"op": "downsample"}]
    lr = get_degradation(steps, 1)(KEY, np.full((400, 4, 4, 1), 0.5, np.float32))
    touched = np.asarray(abs(lr - 0.5) > 1e-3).any(axis=(1, 2, 3)).mean()
    assert abs(touched - 0.25) < 0.08


def test_a_shuffle_does_all_of_its_steps_in_the_order_that_it_drew():
    """Rounding before or after blurring: the two orders of two steps, in NumPy."""
    blur = {"op": "kernel", "kernels": [[[0.25, 0.5, 0.25]]], "edge": "wrap"}
    steps = [{"op": "shuffle", "steps": [blur, {"op": "round"}]}, {"op": "downsample"}]
    degrade = get_degradation(steps, 1)
    x = np.random.default_rng(0).random((6, 8, 1)).astype(np.float32)

    def blurred(x):
        return ndimage.convolve1d(x, [0.25, 0.5, 0.25], axis=1, mode="wrap")

    def rounded(x):
        return np.floor(255 * x + 0.5) / 255

    wanted = {(0, 1): rounded(blurred(x)), (1, 0): blurred(rounded(x))}
    keys = jax.random.split(KEY, 12)
    seen = set()
    for key, lr in zip(keys, degrade(keys, np.stack([x] * 12)), strict=True):
        order = tuple(_drawn(degrade, key)[0]["order"].tolist())
        np.testing.assert_allclose(lr, wanted[order], atol=1e-6)
        seen.add(order)
    assert seen == set(wanted)


def test_random_resizes_are_pytorchs():
    """By factor, then to a factor of LR's size, then to LR's size: `interpolate` three times.

    No factors near 1: where they change no size, PyTorch copies, but its positions would differ.
    """
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    interpolate = torch.nn.functional.interpolate
    resize = {
        "op": "resize",
        "directions": {"up": 1, "down": 1},
        "up": [1.1, 1.5],
        "down": [0.5, 0.9],
    }
    steps = [
        resize | {"modes": "bilinear"},
        resize | {"relative": "lr", "modes": "adaptive"},
        {"op": "downsample", "modes": "cubic"},
    ]
    degrade = get_degradation(steps, 2)
    keys = jax.random.split(KEY, 6)
    x = np.random.default_rng(0).random((6, 16, 22, 1), np.float32)
    for key, hr, lr in zip(keys, x, degrade(keys, x), strict=True):
        first, second = (float(d["factor"]) for d in _drawn(degrade, key)[:2])
        y = torch.from_numpy(hr[None, None, ..., 0])
        y = interpolate(y, scale_factor=first, mode="bilinear")
        y = interpolate(y, size=(int(8 * second), int(11 * second)), mode="area")
        y = interpolate(y, size=(8, 11), mode="bicubic")
        np.testing.assert_allclose(lr[..., 0], y[0, 0], atol=1e-4)


@pytest.mark.parametrize("relative", ["picture", "lr"])
def test_a_resized_picture_fits_its_array(relative):
    """100 * 1.13 is 113 in float32, but 112.99999999999999 in the float64 of Python."""
    step = Resize(directions={"up": 1.0}, up=(1.13, 1.13), relative=relative)
    drawn = {"factor": jnp.float32(1.13), "mode": jnp.int32(0)}
    x, size = step.apply(drawn, Picture(jnp.zeros((100, 7, 1))), (100, 7))
    assert size is not None and (int(size[0]), int(size[1])) == x.shape[:2]


def test_sharpening_after_a_resize_sees_the_picture_only():
    """Enlarged to 1.5 times LR in an array for up to 3 times, then sharpened."""
    up = {"op": "resize", "directions": "up", "up": [1, 3], "relative": "lr"}
    inner = {"op": "choice", "options": [{"steps": [{"op": "sharpen", "radius": 7}]}]}
    degrade = get_degradation([up, inner, {"op": "downsample", "modes": "nearest"}], 1)
    x = np.random.default_rng(0).random((8, 10, 1), np.float32)
    plain = get_degradation([up, {"op": "downsample", "modes": "nearest"}], 1)
    key = next(k for k in jax.random.split(KEY, 50) if 1.2 < _drawn(plain, k)[0]["factor"] < 1.6)
    h, w = (int(n * float(_drawn(plain, key)[0]["factor"])) for n in (8, 10))
    steps = [{"op": "downsample", "modes": "bilinear"}]
    enlarged = (
        get_degradation(steps, 1).steps[0].apply({"mode": 0}, Picture(jnp.asarray(x)), (h, w)).x
    )
    sharp = unsharp_mask(jnp.asarray(enlarged), radius=7)
    rows, columns = (np.arange(n) * m // n for n, m in ((8, h), (10, w)))
    want = np.asarray(sharp)[rows][:, columns]
    np.testing.assert_allclose(degrade(key, x), want, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_correlated_noise_has_the_drawn_covariance(channels):
    steps = [{"op": "noise", "kinds": "correlated", "sigma": [2, 25]}, {"op": "downsample"}]
    degrade = get_degradation(steps, 1)
    noise = np.asarray(degrade(KEY, np.full((128, 128, channels), 0.5, np.float32))) - 0.5
    want = np.asarray(_drawn(degrade, KEY)[0]["covariance"])[:channels, :channels]
    got = np.atleast_2d(np.cov(noise.reshape(-1, channels).T))
    np.testing.assert_allclose(got, want, atol=0.05 * want.max())
    assert "noise correlated" in degrade.describe(KEY)[0]
