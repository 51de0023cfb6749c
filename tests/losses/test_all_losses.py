"""What every loss of images keeps: its gradient, its symmetries, and sense at the edges."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.losses import LOSSES

NAMES = sorted(LOSSES)
# Pixels a side; the rest see 34 x 36, which a window of 33 has some room in.
LARGE = {"ms_ssim": 176, "ms_ssim_4scales": 88, "ms_ssim_3scales": 44}
SHIFT_INVARIANT = {
    *("l1", "mse", "charbonnier", "charbonnier_sum", "euclidean", "huber", "gaussian_l1"),
    *("tv", "gradient", "fft", "focal_frequency"),
}


def images(name: str) -> Any:
    """Float64 SR and HR: waves, and the same with noise."""
    h, w, c = (LARGE[name], LARGE[name], 1) if name in LARGE else (34, 36, 2)
    i, j, k = np.mgrid[:h, :w, :c]
    noise = np.random.default_rng(4).normal(0, 0.05, (1, h, w, c))
    hr = 0.5 + 0.3 * np.sin(0.3 * i + 0.2 * j + k)[None]
    return hr + noise, hr


@functools.cache
def compiled(name: str) -> Any:
    # Less to optimise is less to compile; what is tested does not depend on it.
    options: Any = {"xla_backend_optimization_level": 0}
    return jax.jit(jax.value_and_grad(LOSSES[name]), compiler_options=options)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "focal_frequency"])
def test_numeric_gradients(name):
    """Central differences along a random direction, in float64."""
    sr, hr = images(name)
    direction = np.random.default_rng(5).normal(size=sr.shape)
    with jax.enable_x64(True):
        loss, step = compiled(name), 1e-6 * direction
        slope = (loss(sr + step, hr)[0] - loss(sr - step, hr)[0]) / 2e-6
        grad = np.asarray(loss(sr, hr)[1])
    assert grad.dtype == np.float64
    assert float(slope) == pytest.approx(float((grad * direction).sum()), rel=1e-5)


def test_gradient_of_the_focal_frequency_loss():
    """No gradient flows through its weights: 2 / n times the weighted spectrum, back in space."""
    sr, hr = images("focal_frequency")
    spectrum = np.fft.fft2(sr - hr, axes=(1, 2), norm="ortho")
    weight = np.abs(spectrum) / np.abs(spectrum).max((1, 2), keepdims=True)
    want = 2 / sr.size * np.fft.ifft2(weight * spectrum, axes=(1, 2), norm="ortho").real
    with jax.enable_x64(True):
        got = compiled("focal_frequency")(sr, hr)[1]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_symmetries(name):
    """All but TV, which is of SR alone, are symmetric; those of differences see no shift."""
    sr, hr = images(name)
    with jax.enable_x64(True):
        loss = compiled(name)
        value = float(loss(sr, hr)[0])
        assert (float(loss(hr, sr)[0]) == pytest.approx(value, rel=1e-9)) == (name != "tv")
        shifted = float(loss(sr + 0.1, hr + 0.1)[0])
        assert (shifted == pytest.approx(value, rel=1e-9)) == (name in SHIFT_INVARIANT)
        if name == "tv":
            assert float(loss(sr + 0.1, 0 * hr)[0]) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_equal_constant_and_opposed_images(name):
    """Equal ones cost nothing and are left alone; nothing gives a NaN or an infinite slope."""
    hr = images(name)[1].astype(np.float32)
    black, white = np.zeros_like(hr), np.ones_like(hr)
    patched = hr.copy()
    patched[:, :16, :16] = 0
    pairs = [(hr, hr), (black, black), (white, white), (patched, patched)]
    rest = [(black, white), (black, hr), (hr, black), (patched, hr), (1 - hr, hr), (1e4 * hr, hr)]
    loss = compiled(name)
    for k, (sr, truth) in enumerate(pairs + rest):
        value, grad = loss(sr, truth)
        assert np.isfinite(value) and np.isfinite(grad).all(), k
        if k < len(pairs) and name != "tv":
            floor = 1e-3 * (sr.size if name == "charbonnier_sum" else 1)
            assert abs(value) <= (1.001 * floor if "charbonnier" in name else 1e-6), k
            assert abs(grad).max() < 5e-6, k


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_computed_in_float32(name):
    sr, hr = (jnp.asarray(x, jnp.bfloat16) for x in images(name))
    value, grad = compiled(name)(sr, hr)
    assert value.dtype == jnp.float32 and value.shape == ()
    assert grad.dtype == jnp.bfloat16 and jnp.isfinite(grad.astype(jnp.float32)).all()
    want = compiled(name)(sr.astype(jnp.float32), hr.astype(jnp.float32))[0]
    np.testing.assert_allclose(value, want, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_would_broadcast_are_refused(name):
    sr, hr = images(name)
    with pytest.raises(ValueError, match="differ in shape"):
        LOSSES[name](sr, hr[:, :, :1])
