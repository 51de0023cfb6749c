"""The presets as functions: shapes, dtypes, keys, batches, and what the classical ones define.

The benchmarks' own LR files are in tests/reference.
"""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, stats

from jaxsr.degradations import PRESETS, bicubic, get_degradation, resolve
from jaxsr.degradations.pipeline import _drawn
from jaxsr.errors import InputError
from jaxsr.image import imresize

ROOT = Path(__file__).parents[2]
KEY = jax.random.key(0)
HR: Any = np.random.default_rng(6).integers(0, 256, (2, 12, 24, 3), np.uint8)


def smooth(*shape: int) -> Any:
    """A uint8 picture with something like a photograph's spectrum."""
    noise = np.random.default_rng(3).normal(size=shape)
    x = ndimage.gaussian_filter(noise, (2, 2, 0))
    return np.uint8(np.clip(128 + 300 * x, 0, 255))


def test_bicubic_is_matlabs_with_replicated_edges():
    lr = bicubic(2)(KEY, HR)
    assert lr.dtype == np.uint8
    np.testing.assert_array_equal(lr, imresize(HR, 1 / 2, edge="replicate"))
    np.testing.assert_array_equal(bicubic(2, "symmetric")(KEY, HR), imresize(HR, 1 / 2))
    np.testing.assert_array_equal(get_degradation("bicubic", 2)(KEY, HR), lr)


@pytest.mark.parametrize(("name", "scale"), [("bicubic", 3), ("bd", 4), ("ntire_unknown", 4)])
def test_a_ramp_stays_a_ramp_inside(name, scale):
    """An LR pixel of scale s lies at the centre of the s HR pixels that it covers."""
    ramp = np.tile(np.arange(96, dtype=np.float32)[None, :, None] / 255, (12, 1, 1))
    steps = [s for s in resolve(name, scale) if s["op"] != "round"]
    lr = 255 * np.asarray(get_degradation(steps, scale)(KEY, ramp))[0, :, 0]
    inside = np.arange(4, 96 // scale - 4)
    np.testing.assert_allclose(lr[inside], inside * scale + (scale - 1) / 2, atol=2e-3)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name):
    """Under jit: 8-bit LR, other draws for other images; of every colour and dtype the shape."""
    degrade = get_degradation(name, 4)
    hr = np.stack([smooth(24, 16, 3)] * 2)
    quickly = {"xla_backend_optimization_level": 0}
    lr = jax.jit(degrade, compiler_options=quickly)(KEY, hr)
    assert lr.shape == (2, 6, 4, 3) and lr.dtype == np.uint8
    random = name not in ("bicubic", "bd", "ntire_unknown")
    assert (np.asarray(lr[0]) != lr[1]).any() == random
    # It is a picture of the same thing; the noise of some has 75 levels.
    assert abs(float(np.mean(lr)) - hr.mean()) < 30
    for channels in (1, 3):
        shape = jax.ShapeDtypeStruct((8, 12, channels), jnp.float32)
        assert jax.eval_shape(degrade, KEY, shape) == jax.ShapeDtypeStruct((2, 3, channels), "f4")


EVERYTHING = """
import jax, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxsr.degradations import get_degradation

assert jax.device_count() == 4
jax.config.update("jax_numpy_rank_promotion", "raise")
degrade = get_degradation(
    [
        {
            "op": "shuffle",
            "steps": [
                {"op": "blur", "kinds": {"iso": 1, "aniso": 1}, "size": [3, 7], "p": 0.5},
                {"op": "resize", "directions": {"up": 1, "down": 1}, "up": [1, 1.5], "down": 0.6},
            ],
        },
        {
            "op": "choice",
            "options": [
                {"steps": [{"op": "jpeg"}]},
                {"steps": [{"op": "noise", "sigma": [0, 20], "gray": 0.5}, {"op": "clip"}]},
            ],
        },
        {"op": "downsample", "modes": {"adaptive": 1, "bicubic": 1}},
    ],
    2,
)
hr = np.random.default_rng(0).random((16, 16, 12, 3), np.float32)
key = jax.random.key(1)
keys = jax.vmap(jax.random.fold_in, (None, 0))(key, np.arange(16))
lr = degrade(key, hr)
assert lr.shape == (16, 8, 6, 3) and np.isfinite(lr).all()
np.testing.assert_array_equal(degrade(keys[5:6], hr[5:6])[0], lr[5])

mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
split = jax.device_put((keys, hr), NamedSharding(mesh, PartitionSpec("data")))
np.testing.assert_array_equal(jax.jit(degrade)(*split), lr)

# What an accelerator runs: the same to rounding, but for the few pixels that JPEG rounds.
mapped = jax.jit(jax.vmap(degrade))(keys[:4], hr[:4])
assert np.mean(np.abs(mapped - lr[:4]) > 1e-4) < 0.02
"""


def test_an_image_does_not_know_its_batch():
    """Bit for bit: in a batch of 1 and of 16, on one device and on four."""
    flags = "--xla_force_host_platform_device_count=4"
    result = subprocess.run(
        [sys.executable, "-c", EVERYTHING],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def of_gaussian(n: int, sigma: float) -> np.ndarray:
    at = np.arange(n) - (n - 1) / 2
    line = np.exp(-(at**2) / (2 * sigma**2))
    return np.outer(line, line) / line.sum() ** 2


@pytest.mark.parametrize(("scale", "n"), [(3, 7), (4, 12), (5, 11)])
def test_bd(scale, n):
    """SciPy's correlation with the 7x7 (general rule: 12x12, 11x11) kernel, rounded, decimated."""
    hr = smooth(24, 36, 3)[: 24 // scale * scale, : 36 // scale * scale]
    # SciPy centres an even kernel on element n/2, MATLAB on the one before.
    even = {"origin": (0 if n % 2 else -1,) * 2 + (0,)}
    kernel = of_gaussian(n, 1.6)[..., None]
    blurred = ndimage.correlate(hr.astype(np.float64), kernel, mode="nearest", **even)
    first = (scale - 1) // 2
    want = np.floor(blurred + 0.5)[first::scale, first::scale]
    got = np.asarray(get_degradation("bd", scale)(KEY, hr), np.float64)
    assert np.abs(got - want).max() <= 1 and np.mean(got != want) < 0.01  # ties, in float32


def test_dn_is_bicubic_plus_white_noise_of_30_levels():
    hr = np.full((1, 192, 192, 3), 128, np.uint8)
    noise = np.asarray(get_degradation("dn", 3)(KEY, hr), np.float64)[0] - 128
    assert stats.kstest(noise.ravel()[::7] / math.sqrt(30**2 + 1 / 12), "norm").pvalue > 0.01
    assert abs(noise.std() - 30) < 0.5 and abs(noise.mean()) < 0.5
    channels = np.corrcoef(noise.reshape(-1, 3).T)
    np.testing.assert_allclose(channels, np.eye(3), atol=0.05)
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.03


def test_srmd_blurs_reduces_rounds_and_adds_noise():
    """From the drawn numbers, in NumPy float64 with SciPy's correlation."""
    spec = resolve("srmd", 3)
    spec[-1]["sigma"] = [0, 0]
    degrade = get_degradation(spec, 3)
    hr = smooth(36, 48, 3)
    for seed in range(4):
        key = jax.random.key(seed)
        d = jax.tree.map(float, _drawn(degrade, key)[0])
        y, x = np.mgrid[-7:8, -7:8]
        c, s = math.cos(d["theta"]), math.sin(d["theta"])
        turned = np.array([[c, -s], [s, c]])
        cov = turned @ np.diag([d["sigma_x"] ** 2, d["sigma_y"] ** 2]) @ turned.T
        at = np.stack([x, y], -1)
        kernel = np.exp(-0.5 * np.einsum("hwi,ij,hwj->hw", at, np.linalg.inv(cov), at))
        blurred = ndimage.correlate(hr / 255, (kernel / kernel.sum())[..., None], mode="nearest")
        want = np.round(255 * np.asarray(imresize(blurred.astype(np.float32), 1 / 3)))
        got = 255 * np.asarray(degrade(key, np.float32(hr / 255)))
        np.testing.assert_allclose(got, np.round(got), atol=1e-4)  # rounded before the noise
        assert np.abs(got - want).max() < 1.01 and np.mean(np.abs(got - want)) < 0.01


def test_sizes_and_keys_that_do_not_fit():
    with pytest.raises(ValueError, match="12x24 pixels is no multiple of the scale 5"):
        bicubic(5)(KEY, HR)
    with pytest.raises(ValueError, match="2 images need one key or as many"):
        bicubic(2)(jax.random.split(KEY, 3), HR)
    with pytest.raises(ValueError, match=r"uint8, or float in \[0, 1\], got uint16"):
        bicubic(2)(KEY, HR.astype(np.uint16))
    with pytest.raises(ValueError, match=r"\[N, H, W, C\], got shape \(4, 4\)"):
        bicubic(2)(KEY, HR[0, :4, :4, 0])


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
def test_keys_of_other_generators(impl):
    """Also those draw for an image what they draw for it in a batch."""
    degrade = get_degradation([{"op": "noise", "sigma": 20}, {"op": "downsample"}], 2)
    keys = jax.random.split(jax.random.key(0, impl=impl), 2)
    x = np.full((2, 4, 4, 1), 0.5, np.float32)
    lr = jax.jit(jax.vmap(degrade))(keys, x)
    np.testing.assert_allclose(lr[1], degrade(keys[1], x[1]), atol=1e-6)
    assert (lr[0] != lr[1]).all()


def test_old_style_keys():
    degrade = get_degradation([{"op": "noise", "sigma": 20}, {"op": "downsample"}], 2)
    old = jax.random.PRNGKey(0)
    np.testing.assert_array_equal(degrade(old, HR), degrade(KEY, HR))
    several = degrade(jax.random.split(old), HR)
    np.testing.assert_array_equal(several, degrade(jax.random.split(KEY), HR))
    assert degrade.describe(old) == degrade.describe(KEY)


@pytest.mark.parametrize("name", ["realesrgan", "bsrgan"])
def test_float32_where_float64_is_enabled(name):
    shape = jax.ShapeDtypeStruct((8, 12, 3), jnp.float32)
    with jax.enable_x64(True):
        assert jax.eval_shape(get_degradation(name, 2), KEY, shape).dtype == jnp.float32


def test_unknown_name():
    with pytest.raises(InputError, match="unknown degradation 'bicubik'; did you mean 'bicubic'"):
        get_degradation("bicubik", 2)
