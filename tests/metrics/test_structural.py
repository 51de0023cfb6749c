"""SSIM and MS-SSIM against scikit-image, closed forms and published values."""

from typing import Any

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import structural_similarity

from jaxsr.metrics import ms_ssim, ssim

RNG = np.random.default_rng(3)
HR: Any = RNG.random((3, 24, 20, 3), np.float32)
SR: Any = np.clip(HR + RNG.normal(0, 0.1, HR.shape), 0, 1).astype(np.float32)
HR[2] = 0.98  # bright and flat: float32 cannot hold E[x^2] - E[x]^2 here
SR[2] = HR[2] + RNG.normal(0, 1e-3, HR[2].shape)
# An odd side and the smallest one.
LARGE: Any = RNG.random((1, 181, 176, 1), np.float32)
NOISY: Any = (LARGE + RNG.normal(0, 0.3, LARGE.shape)).astype(np.float32)
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
NAMES = ("I03", "I04", "I06", "I08", "I19")


def wang(x, y):
    """Wang's SSIM of one channel by scikit-image in float64, over the valid region."""
    full = structural_similarity(
        x.astype(float),
        y.astype(float),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
        full=True,
    )[1]
    return full[5:-5, 5:-5].mean()


def test_ssim_against_scikit_image():
    want = [
        np.mean([wang(x[..., c], y[..., c]) for c in range(3)]) for x, y in zip(SR, HR, strict=True)
    ]
    np.testing.assert_allclose(ssim(SR, HR), want, atol=2e-5)


def test_ssim_of_luma_after_a_shave():
    x, y = (rgb2ycbcr(image[0].astype(float))[3:-3, 3:-3, 0] / 255 for image in (SR, HR))
    assert float(ssim(SR, HR, shave=3, luma=True)[0]) == pytest.approx(wang(x, y), abs=2e-5)


def test_ssim_needs_a_window():
    with pytest.raises(ValueError, match="11 pixels a side"):
        ssim(SR, HR, shave=5)


def by_the_paper(x, y):
    """MS-SSIM in float64: SciPy's filters, Wang's down-sampling with symmetric extension."""
    from scipy.ndimage import correlate, correlate1d

    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(a):
        return correlate1d(correlate1d(a, window, 0), window, 1)[5:-5, 5:-5]

    value = 1.0
    for scale, weight in enumerate(WEIGHTS):
        mx, my = mean(x), mean(y)
        vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        factor = (2 * cov + 9e-4) / (vx + vy + 9e-4)
        if scale == 4:
            factor = factor * (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        value *= factor.mean() ** weight
        x, y = (
            correlate(a, np.full((2, 2), 0.25), mode="reflect", origin=-1)[::2, ::2] for a in (x, y)
        )
    return value


def test_ms_ssim_against_scipy():
    want = by_the_paper(NOISY[0, ..., 0].astype(float), LARGE[0, ..., 0].astype(float))
    assert 0.5 < want < 0.95
    assert float(ms_ssim(NOISY, LARGE)[0]) == pytest.approx(want, abs=1e-5)


def test_ms_ssim_of_equal_and_of_opposed_images():
    assert float(ms_ssim(LARGE, LARGE)[0]) == pytest.approx(1, abs=1e-6)
    assert float(ms_ssim(1 - LARGE, LARGE)[0]) == 0  # negative means of cs count as 0


@pytest.mark.parametrize(("shape", "shave"), [((1, 175, 300, 1), 0), ((1, 181, 177, 3), 1)])
def test_ms_ssim_needs_room_for_five_scales(shape, shave):
    with pytest.raises(ValueError, match=f"176 pixels a side after the shave of {shave}"):
        ms_ssim(np.zeros(shape, np.float32), np.zeros(shape, np.float32), shave=shave)


def gray(path) -> Any:
    """MATLAB's rgb2gray of a uint8 image, rounded."""
    from PIL import Image

    rgb = np.asarray(Image.open(path), float)
    mixed = rgb @ np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])
    return np.floor(mixed + 0.5).astype(np.uint8)[..., None]


def test_values_of_the_calibration_images(reference):
    """The official SSIM; MS-SSIM is the paper's product, which that table does not have."""
    folder = reference / "weights" / "golden" / "iqa_calibration"
    sr, hr = (
        np.stack([gray(folder / kind / f"{name}.bmp") for name in NAMES])
        for kind in ("dist_dir", "ref_dir")
    )
    official = [0.699337, 0.997753, 0.998908, 0.966901, 0.651877]
    np.testing.assert_allclose(ssim(sr, hr), official, atol=1e-5)
    product = [0.66998, 0.99963, 0.99982, 0.95653, 0.84179]
    np.testing.assert_allclose(ms_ssim(sr, hr), product, atol=1e-5)
