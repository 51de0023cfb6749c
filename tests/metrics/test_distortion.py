"""PSNR and RMSE against closed forms; what all distortion measures share."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from jaxsr.metrics import psnr, rmse, ssim

RNG = np.random.default_rng(3)
HR: Any = RNG.random((3, 24, 20, 3), np.float32)
SR: Any = np.clip(HR + RNG.normal(0, 0.1, HR.shape), 0, 1).astype(np.float32)
HR[2] = 0.98  # bright and flat: float32 cannot hold E[x^2] - E[x]^2 here
SR[2] = HR[2] + RNG.normal(0, 1e-3, HR[2].shape)


def test_psnr_closed_form():
    mse = ((SR.astype(float) - HR) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(psnr(SR, HR), -10 * np.log10(mse), atol=1e-4)
    np.testing.assert_allclose(rmse(SR, HR), 255 * np.sqrt(mse), rtol=1e-5)


def test_psnr_of_a_known_error():
    """One level of 255 everywhere: 20 log10 255."""
    hr = jnp.full((1, 4, 4, 3), 100, jnp.uint8)
    assert float(psnr(hr + jnp.uint8(1), hr)[0]) == pytest.approx(20 * np.log10(255), abs=1e-4)
    assert float(rmse(hr + jnp.uint8(1), hr)[0]) == 1


def test_equal_images():
    assert np.isposinf(psnr(HR, HR)).all()
    assert not rmse(HR, HR).any()
    np.testing.assert_allclose(ssim(HR, HR), 1.0, atol=1e-6)


def test_luma_and_shave():
    x, y = (rgb2ycbcr(image[0].astype(float))[3:-3, 3:-3, 0] / 255 for image in (SR, HR))
    assert float(psnr(SR, HR, shave=3, luma=True)[0]) == pytest.approx(
        -10 * np.log10(((x - y) ** 2).mean()), abs=1e-4
    )


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_only_the_border_is_shaved(metric):
    sr = HR.copy()
    sr[:, :2], sr[:, :, :2], sr[:, -2:], sr[:, :, -2:] = 0, 0, 0, 0
    np.testing.assert_array_equal(metric(sr, HR, shave=2), metric(HR, HR, shave=2))
    assert (metric(sr, HR, shave=1) != metric(HR, HR, shave=1)).all()


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_one_channel_is_its_own_luma(metric):
    sr, hr = SR[..., :1], HR[..., :1]
    np.testing.assert_array_equal(metric(sr, hr, luma=True), metric(sr, hr))


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_uint8_is_the_same_as_float(metric):
    sr, hr = (np.rint(255 * x).astype(np.uint8) for x in (SR, HR))
    floats = metric(sr.astype(np.float32) / 255, hr.astype(np.float32) / 255)
    np.testing.assert_allclose(metric(sr, hr), floats, rtol=1e-5)


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_one_value_an_image(metric):
    each = np.concatenate([metric(SR[i : i + 1], HR[i : i + 1]) for i in range(3)])
    batch = metric(SR, HR)
    assert batch.shape == (3,) and batch.dtype == jnp.float32
    np.testing.assert_allclose(batch, each, rtol=1e-6)


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_refusals(metric):
    with pytest.raises(ValueError, match="differ in shape"):
        metric(SR, HR[:1])
    with pytest.raises(ValueError, match=r"\[N, H, W, C\]"):
        metric(SR[0], HR[0])
    for shave in (10, -1):
        with pytest.raises(ValueError, match="leaves nothing"):
            metric(SR, HR, shave=shave)
