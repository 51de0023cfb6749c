"""PSNR and SSIM against values that others computed with MATLAB and with pyiqa."""

import csv
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxsr.image import resize_matrix
from jaxsr.metrics import psnr, ssim
from jaxsr.metrics.protocol import crop_to_multiple

# BasicSR's metrics README, checked there against MATLAB: PSNR RGB and Y, SSIM RGB and Y.
BASICSR = {
    "img_001": (20.419710, 22.441898, 0.391853, 0.453097),  # baboon
    "img_005": (20.239912, 21.720398, 0.567738, 0.585511),  # comic
}
RGB2GRAY: Any = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])  # MATLAB's
NAMES = ("I03", "I04", "I06", "I08", "I19")


def read(path) -> Any:
    return np.asarray(Image.open(path).convert("RGB"))


def resize(x, scale) -> Any:
    """MATLAB's `imresize` of uint8 taken as double, rounded once at the end."""
    rows, columns = (
        resize_matrix(n, round(n * scale), scale, "bicubic", True, "symmetric") for n in x.shape[:2]
    )
    y = np.einsum("oh,hwc,pw->opc", rows, x, columns, optimize=True)
    return np.floor(y + 0.5).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", BASICSR)
def test_bicubic_x4_pairs(reference, name):
    file = reference / "data" / "Set14" / "HR" / f"{name}.png"
    hr = crop_to_multiple(read(file), 12)
    sr = resize(resize(hr, 1 / 4), 4.0)
    got = [
        float(metric(sr[None], hr[None], shave=4, luma=luma)[0])
        for metric in (psnr, ssim)
        for luma in (False, True)
    ]
    np.testing.assert_allclose(got, BASICSR[name], rtol=0, atol=1e-4)


def calibration(folder, file, method):
    """One line of a table of methods by images."""
    with (folder / file).open() as lines:
        row = next(row for row in csv.DictReader(lines) if row["Method"] == method)
    return [float(row[f"{name}.bmp"]) for name in NAMES]


def test_calibration_images(reference):
    """PSNR of RGB; SSIM of MATLAB's rounded `rgb2gray`, which the official values mean.

    The official PSNR has two digits, pyiqa's own four.
    """
    folder = reference / "weights" / "golden" / "iqa_calibration"
    results, grays = [], []
    for name in NAMES:
        sr, hr = (read(folder / kind / f"{name}.bmp") for kind in ("dist_dir", "ref_dir"))
        gray = [np.floor(x @ RGB2GRAY + 0.5).astype(np.uint8)[None, ..., None] for x in (sr, hr)]
        results.append(float(psnr(sr[None], hr[None])[0]))
        grays.append(float(ssim(*gray)[0]))
    official, measured = "results_official.csv", "calibration_summary.csv"
    np.testing.assert_allclose(results, calibration(folder, official, "psnr"), atol=0.0051, rtol=0)
    want = calibration(folder, measured, "psnr(ours)")
    np.testing.assert_allclose(results, want, atol=1e-4, rtol=0)
    np.testing.assert_allclose(grays, calibration(folder, official, "ssim"), atol=1e-4, rtol=0)
