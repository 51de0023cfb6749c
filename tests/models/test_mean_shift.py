"""The mean colour that is held as parameters."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.mean_shift import MeanShift

X = np.random.default_rng(8).random((1, 3, 4, 3), np.float32)
MEAN = np.array([0.4488, 0.4371, 0.4040], np.float32)


@pytest.mark.parametrize(("sign", "rgb_range"), [(-1, 255.0), (1, 1.0)])
def test_it_starts_as_the_addition_of_the_mean(sign, rgb_range):
    y, _ = MeanShift(sign, rgb_range).init_with_output(jax.random.key(0, impl="rbg"), X)
    np.testing.assert_allclose(y, X + sign * rgb_range * MEAN.reshape(1, 1, 1, 3), rtol=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_gets_no_gradient(fake_params, frozen):
    shift: Any = MeanShift(1, frozen=frozen)
    gradient = jax.grad(lambda v: jnp.sum(shift.apply(v, X) ** 2))(fake_params(shift, X))
    assert all(np.any(leaf) != frozen for leaf in jax.tree.leaves(gradient))
