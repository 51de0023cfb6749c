"""Pixel losses against their formulas and their numeric gradients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsr.errors import InputError
from jaxsr.losses import LOSSES, charbonnier, charbonnier_sum, euclidean, get_loss, l1, mse

SR: Any = np.random.default_rng(2).random((2, 3, 4, 3), np.float32)
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


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_numeric_gradients(loss):
    """SR and HR differ by 0.25 everywhere, so that no step crosses the kink of l1."""
    check_grads(lambda sr: loss(sr, HR), (SR,), order=1, modes=["rev"], atol=1e-2, rtol=1e-2)


def test_gradient_of_l1_is_zero_where_both_are_equal():
    hr = SR.copy()
    hr[0, 0, 0], hr[0, 0, 1] = 2.0, -2.0
    want = np.zeros_like(SR)
    want[0, 0, 0], want[0, 0, 1] = -1 / SR.size, 1 / SR.size
    np.testing.assert_allclose(jax.grad(l1)(SR, hr), want, rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_half_precision_is_averaged_in_float32(loss):
    sr, hr = jnp.asarray(SR, jnp.bfloat16), jnp.asarray(HR, jnp.bfloat16)
    value = loss(sr, hr)
    assert value.dtype == jnp.float32 and value.shape == ()
    assert value == loss(sr.astype(jnp.float32), hr.astype(jnp.float32))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 1\)"):
        loss(SR, HR[..., :1])


def test_names():
    assert get_loss("l1") is l1
    with pytest.raises(InputError, match="unknown loss 'l11'; did you mean 'l1'"):
        get_loss("l11")
