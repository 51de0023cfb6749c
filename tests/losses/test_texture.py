"""Gram and texture losses against NumPy, closed forms and what they must not see."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.losses import gram, gram_l1, texture

RNG = np.random.default_rng(8)
SR: Any = RNG.random((2, 8, 12, 3), np.float32)
HR: Any = RNG.random((2, 8, 12, 3), np.float32)


def test_gram_in_closed_form():
    """F = 0, .1, ... 2.3 as (C, H, W) = (2, 3, 4)."""
    features = (np.arange(24, dtype=np.float32) / 10).reshape(1, 2, 3, 4).transpose(0, 2, 3, 1)
    want = [[0.2108333, 0.5408333], [0.5408333, 1.5908333]]
    np.testing.assert_allclose(gram(jnp.asarray(features))[0], want, rtol=1e-6)


def test_gram_l1_is_of_gram_matrices():
    want = np.abs(np.asarray(gram(SR)) - np.asarray(gram(HR))).mean()
    assert float(gram_l1(SR, HR)) == pytest.approx(want, rel=1e-4)


def test_texture_against_numpy():
    def grams(features: Any) -> list[Any]:
        image = features / features.mean()
        parts = [image[i : i + 4, j : j + 4] for i in (0, 4) for j in (0, 4, 8)]
        return [part.reshape(16, 3).T @ part.reshape(16, 3) for part in parts]

    pairs = zip(SR.astype(float), HR.astype(float), strict=True)
    want = np.mean([(np.array(grams(x)) - grams(y)) ** 2 for x, y in pairs])
    assert float(texture(SR, HR, patch=4)) == pytest.approx(want, rel=1e-5)


def test_texture_sees_neither_order_within_patches_nor_brightness():
    mixed = SR[:, ::-1].reshape(2, 2, 4, 12, 3)[:, ::-1].reshape(SR.shape)  # within the patches
    assert float(texture(mixed, SR, patch=4)) < 1e-6
    assert float(texture(2 * SR, SR, patch=4)) < 1e-6
    assert float(texture(SR[:, ::-1], SR, patch=4)) > 1


def test_numeric_gradients():
    direction = RNG.normal(size=SR.shape)
    with jax.enable_x64(True):
        sr, hr, step = (jnp.asarray(x, jnp.float64) for x in (SR, HR, 1e-6 * direction))
        for loss in (gram_l1, lambda x, y: texture(x, y, patch=4)):
            f = jax.jit(jax.value_and_grad(loss))
            slope = float(f(sr + step, hr)[0] - f(sr - step, hr)[0]) / 2e-6
            assert slope == pytest.approx(float((f(sr, hr)[1] * direction).sum()), rel=1e-5)


@pytest.mark.parametrize("loss", [gram_l1, lambda sr, hr: texture(sr, hr, patch=4)])
def test_equal_maps_and_maps_without_activation(loss):
    f, nothing = jax.jit(jax.value_and_grad(loss)), np.zeros_like(HR)
    for sr, hr in ((HR, HR), (nothing, nothing)):
        value, grad = f(sr, hr)
        assert float(value) < 1e-12 and abs(grad).max() < 1e-6
    for sr, hr in ((nothing, HR), (HR, nothing)):
        value, grad = f(sr, hr)
        assert float(value) > 0 and np.isfinite(grad).all()
    half = f(jnp.asarray(SR, jnp.bfloat16), jnp.asarray(HR, jnp.bfloat16))[0]
    assert half.dtype == jnp.float32


def test_maps_that_do_not_fall_into_patches():
    with pytest.raises(InputError, match=r"multiples of 16, got \(8, 12\)"):
        texture(SR, HR)
