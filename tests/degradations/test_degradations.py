"""Degradations against closed forms; the benchmarks' own LR files are in tests/reference."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations import DEGRADATIONS, bicubic, get_degradation
from jaxsr.errors import InputError
from jaxsr.image import imresize

KEY = jax.random.key(0)
HR: Any = np.random.default_rng(6).integers(0, 256, (2, 12, 24, 3), np.uint8)


def test_bicubic_is_matlabs_with_replicated_edges():
    lr = bicubic(2)(KEY, HR)
    assert lr.dtype == np.uint8
    np.testing.assert_array_equal(lr, imresize(HR, 1 / 2, edge="replicate"))
    np.testing.assert_array_equal(bicubic(2, "symmetric")(KEY, HR), imresize(HR, 1 / 2))


def test_a_ramp_stays_a_ramp_inside():
    """An LR pixel of scale s lies at the centre of the s HR pixels that it covers."""
    ramp = jnp.tile(jnp.arange(24, dtype=jnp.float32)[None, :, None], (12, 1, 1))
    lr = np.asarray(bicubic(3)(KEY, ramp))[0, :, 0]
    np.testing.assert_allclose(lr[2:-2], np.arange(2, 6) * 3 + 1, atol=1e-5)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_under_jit_and_one_by_one(name):
    degrade = get_degradation(name, 2)
    lr = jax.jit(degrade)(KEY, HR[0])
    assert lr.shape == (6, 12, 3) and lr.dtype == np.uint8
    np.testing.assert_array_equal(lr, degrade(KEY, HR[0]))


def test_no_multiple_of_the_scale():
    with pytest.raises(ValueError, match="12x24 pixels is no multiple of the scale 5"):
        bicubic(5)(KEY, HR)


def test_unknown_name():
    with pytest.raises(InputError, match="unknown degradation 'bicubik'; did you mean 'bicubic'"):
        get_degradation("bicubik", 2)
