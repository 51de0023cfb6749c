"""Pixel losses against their formulas, PyTorch and SciPy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.losses import charbonnier, charbonnier_sum, euclidean, gradient, huber, l1, mse, tv

RNG = np.random.default_rng(2)
SR: Any = RNG.random((2, 3, 4, 3), np.float32)
HR: Any = SR + np.where(np.indices(SR.shape).sum(0) % 2, np.float32(0.25), np.float32(-0.25))


def test_formulas():
    difference = SR.astype(float) - HR
    assert float(l1(SR, HR)) == pytest.approx(np.abs(difference).mean(), rel=1e-6)
    assert float(mse(SR, HR)) == pytest.approx((difference**2).mean(), rel=1e-6)
    smooth = np.sqrt(difference**2 + 1e-6)
    assert float(charbonnier(SR, HR)) == pytest.approx(smooth.mean(), rel=1e-6)
    assert float(charbonnier_sum(SR, HR)) == pytest.approx(smooth.sum() / 2, rel=1e-6)
    assert float(euclidean(SR, HR)) == pytest.approx((difference**2).sum() / 4, rel=1e-6)


def test_charbonnier_is_smooth_where_both_are_equal():
    """Its value there is epsilon, its slope 0, and its curvature 1 / epsilon."""

    def loss(d):
        return charbonnier(jnp.full((1, 1, 1, 1), d), jnp.zeros((1, 1, 1, 1)))

    assert float(loss(0.0)) == pytest.approx(1e-3)
    assert float(jax.grad(loss)(0.0)) == 0
    assert float(jax.grad(jax.grad(loss))(0.0)) == pytest.approx(1e3)


def test_gradient_of_l1_is_zero_where_both_are_equal():
    hr = SR.copy()
    hr[0, 0, 0], hr[0, 0, 1] = 2.0, -2.0
    want = np.zeros_like(SR)
    want[0, 0, 0], want[0, 0, 1] = -1 / SR.size, 1 / SR.size
    np.testing.assert_allclose(jax.grad(l1)(SR, hr), want, rtol=1e-6)


def test_huber_against_pytorch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    sr, hr = torch.from_numpy(SR), torch.from_numpy(HR + RNG.normal(0, 0.2, HR.shape))
    for delta in (0.1, 0.3, 1.0):
        want = torch.nn.functional.huber_loss(sr.double(), hr, delta=delta)
        assert float(huber(SR, hr.numpy(), delta=delta)) == pytest.approx(float(want), rel=1e-5)


def test_total_variation_in_closed_form():
    """x[i, j] = (4 i + j)^2 / 100, 3 x 4: 0.44 down and 0.11 to the right."""
    i, j = np.mgrid[:3, :4]
    x: Any = ((4 * i + j) ** 2 / 100).astype(np.float32)[None, ..., None]
    assert float(tv(x, 0 * x)) == pytest.approx(0.55, rel=1e-6)
    assert float(tv(x[:, :1], x[:, :1])) == pytest.approx(0.03, rel=1e-5)  # nothing is below


def test_gradient_loss_against_scipy():
    from scipy.ndimage import sobel

    planes = [(SR.astype(float) - HR)[n, ..., c] for n in range(2) for c in range(3)]
    want = sum(
        np.mean([abs(sobel(plane, axis, mode="constant")).mean() for plane in planes])
        for axis in (0, 1)
    )
    assert float(gradient(SR, HR)) == pytest.approx(want, rel=1e-5)
