"""What each protocol feeds, rounds and compares, with scikit-image's luma.

The published numbers that they reproduce are in tests/reference.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from jaxsr.degradations import bicubic
from jaxsr.errors import InputError
from jaxsr.image import imresize, to_float
from jaxsr.metrics import get_protocol
from jaxsr.metrics.protocol import crop_to_multiple

KEY = jax.random.key(0)
HR: Any = np.random.default_rng(4).integers(0, 256, (2, 18, 20, 3), np.uint8)


def luma8(x):
    return np.floor(rgb2ycbcr(x)[..., :1] + 0.5) / 255


def test_y_uint8_feeds_rounded_luma_and_unrounded_lr():
    lr, hr = get_protocol("y-uint8").pair(bicubic(2), KEY, HR)
    np.testing.assert_allclose(hr, luma8(HR), atol=1e-6)
    want = imresize(luma8(HR).astype(np.float32), 1 / 2, edge="replicate")
    np.testing.assert_allclose(lr, want, atol=1e-5)
    off_grid = np.abs(255 * lr - np.rint(255 * lr))
    assert off_grid.max() > 0.4


def test_rgb_feeds_rounded_lr():
    lr, hr = get_protocol("rgb").pair(bicubic(2), KEY, HR)
    assert lr.dtype == hr.dtype == jnp.float32
    np.testing.assert_allclose(255 * hr, HR, atol=1e-4)
    want = np.asarray(imresize(HR, 1 / 2, edge="replicate"), np.float32)
    np.testing.assert_allclose(255 * lr, want, atol=1e-4)


@pytest.mark.parametrize("name", ["y-uint8", "rgb"])
def test_gray_is_its_own_luma(name):
    _, hr = get_protocol(name).pair(bicubic(2), KEY, HR[..., :1])
    np.testing.assert_allclose(255 * hr, HR[..., :1], atol=1e-4)


def test_rgb_scores_unrounded_luma_of_the_rounded_result():
    noise = np.random.default_rng(5).normal(0, 0.05, HR.shape)
    hr, sr = HR / 255, HR / 255 + noise
    rounded = np.floor(255 * np.clip(sr, 0, 1) + 0.5) / 255
    y = [rgb2ycbcr(x)[:, 2:-2, 2:-2, 0] / 255 for x in (rounded, hr)]
    want = -10 * np.log10(((y[0] - y[1]) ** 2).mean((1, 2)))
    psnr, ssim = get_protocol("rgb").score(jnp.asarray(sr), jnp.asarray(hr), 2)
    np.testing.assert_allclose(psnr, want, atol=1e-3)
    assert ssim.shape == (2,)


def test_y_uint8_rounds_the_result():
    hr = to_float(np.full((1, 16, 16, 1), 100, np.uint8))
    score = get_protocol("y-uint8").score
    assert np.isposinf(score(hr + 0.4 / 255, hr, 2)[0]).all()
    assert float(score(hr + 0.6 / 255, hr, 2)[0][0]) == pytest.approx(20 * np.log10(255), abs=1e-3)


def test_crop_keeps_the_top_left():
    np.testing.assert_array_equal(crop_to_multiple(HR, 7), HR[:, :14, :14])
    np.testing.assert_array_equal(crop_to_multiple(HR, 2), HR)


def test_refusals():
    with pytest.raises(ValueError, match="uint8"):
        get_protocol("rgb").pair(bicubic(2), KEY, jnp.zeros((1, 4, 4, 3)))
    with pytest.raises(InputError, match="unknown protocol 'y-uint'; did you mean 'y-uint8'"):
        get_protocol("y-uint")
