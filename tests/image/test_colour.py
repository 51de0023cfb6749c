"""Colour against scikit-image, quantisation against integers."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from jaxsr.image import luma, rgb_to_ycbcr, to_float, to_uint8, ycbcr_to_rgb

RGB: Any = np.random.default_rng(1).random((2, 5, 6, 3), np.float32)


def test_ycbcr_against_scikit_image():
    np.testing.assert_allclose(255 * rgb_to_ycbcr(RGB), rgb2ycbcr(RGB.astype(float)), atol=1e-4)


def test_luma_is_the_first_channel():
    np.testing.assert_allclose(255 * luma(RGB), rgb2ycbcr(RGB.astype(float))[..., :1], atol=1e-4)


def test_studio_range():
    black, white = jnp.zeros((1, 1, 3)), jnp.ones((1, 1, 3))
    np.testing.assert_allclose(255 * rgb_to_ycbcr(black)[0, 0], [16, 128, 128], atol=1e-4)
    np.testing.assert_allclose(255 * rgb_to_ycbcr(white)[0, 0], [235, 128, 128], atol=1e-4)


def test_there_and_back():
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(RGB)), RGB, atol=1e-6)


def test_gray_is_its_own_luma():
    gray = RGB[..., :1]
    np.testing.assert_array_equal(luma(gray), gray)


@pytest.mark.parametrize("function", [rgb_to_ycbcr, ycbcr_to_rgb, luma])
@pytest.mark.parametrize("shape", [(4, 3), (4, 4, 2), (4, 4, 4)])
def test_not_rgb(function, shape):
    with pytest.raises(ValueError, match="3\\]"):
        function(jnp.zeros(shape))


def test_8_bits_there_and_back():
    every = np.arange(256, dtype=np.uint8)
    x = to_float(every)
    assert x.dtype == jnp.float32
    np.testing.assert_allclose(x, every / 255, rtol=1e-6)
    np.testing.assert_array_equal(to_uint8(x), every)
    np.testing.assert_array_equal(to_uint8(every), every)


def test_halves_round_up_and_the_rest_is_clipped():
    # 0.1, 0.3, 0.5, 0.7 and 0.9 times 255 are halves, and float32 keeps them so.
    x = jnp.array([0.1, 0.3, 0.5, 0.7, 0.9, -1.0, 2.0, jnp.inf], jnp.float32)
    np.testing.assert_array_equal(to_uint8(x), [26, 77, 128, 179, 230, 0, 255, 255])


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_is_quantised_in_float32(dtype):
    """By NumPy: from 128 upwards bfloat16 has whole numbers only."""
    x = jnp.asarray(np.linspace(0, 1, 1001), dtype)
    want = np.floor(np.asarray(x, np.float32) * np.float32(255) + np.float32(0.5))
    np.testing.assert_array_equal(to_uint8(x), want)


def test_16_bits_to_8_is_the_nearest():
    every = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(to_uint8(every), np.rint(every / 257))
    np.testing.assert_allclose(to_float(every), every / 65535, rtol=1e-6)


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="int32"):
        to_float(np.zeros((2, 2, 3), np.int32))
