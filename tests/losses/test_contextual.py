"""The contextual loss against its equations in NumPy, and what it must not see."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.losses import contextual

RNG = np.random.default_rng(9)
SR: Any = RNG.random((2, 3, 4, 5), np.float32)
HR: Any = RNG.random((2, 3, 4, 5), np.float32)
LOSS = jax.jit(jax.value_and_grad(contextual))


def by_the_equations(x: Any, y: Any, h: float = 0.5) -> float:
    """Of one image, entry by entry."""
    x, y = (v.reshape(-1, v.shape[-1]).astype(float) for v in (x, y))
    x, y = x - y.mean(0), y - y.mean(0)
    d = np.array([[1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in y] for a in x])
    w = np.exp((1 - d / (d.min(1, keepdims=True) + 1e-5)) / h)
    cx = w / w.sum(1, keepdims=True)
    return -np.log(cx.max(0).mean())


def test_the_equations():
    want = np.mean([by_the_equations(x, y) for x, y in zip(SR, HR, strict=True)])
    assert float(LOSS(SR, HR)[0]) == pytest.approx(want, rel=1e-4)


def test_places_do_not_matter():
    """SR's features in any order; HR in another order is no error at all."""
    order = RNG.permutation(12)
    moved = SR.reshape(2, 12, 5)[:, order].reshape(SR.shape)
    assert float(LOSS(moved, HR)[0]) == pytest.approx(float(LOSS(SR, HR)[0]), rel=1e-5)
    moved = HR.reshape(2, 12, 5)[:, order].reshape(HR.shape)
    assert abs(float(LOSS(moved, HR)[0])) < 1e-6


def test_numeric_gradient():
    direction = RNG.normal(size=SR.shape)
    with jax.enable_x64(True):
        sr, hr, step = (jnp.asarray(x, jnp.float64) for x in (SR, HR, 1e-7 * direction))
        slope = float(LOSS(sr + step, hr)[0] - LOSS(sr - step, hr)[0]) / 2e-7
        assert slope == pytest.approx(float((LOSS(sr, hr)[1] * direction).sum()), rel=1e-5)


def test_equal_and_constant_maps():
    flat = np.full_like(HR, 0.5)
    for sr, hr in ((HR, HR), (flat, flat), (flat, HR), (HR, flat), (0 * HR, HR)):
        value, grad = LOSS(sr, hr)
        assert np.isfinite(value) and np.isfinite(grad).all()
    value, grad = LOSS(*(jnp.asarray(x, jnp.bfloat16) for x in (SR, HR)))
    assert value.dtype == jnp.float32 and jnp.isfinite(grad.astype(jnp.float32)).all()
