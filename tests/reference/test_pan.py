"""PAN x4's public weights: PSNR and SSIM of every image of Set5, Set14 and BSD100.

The table was made by others from the same file, with LR from today's MATLAB (mirrored edges; the
files of the test sets have replicated ones). Its BSD100 is not pixel by pixel the one here: none of
the usual crops and roundings gives its numbers, which differ by up to 0.035 dB to either side.
"""

import csv

import jax
import numpy as np
import pytest

from jaxsr.evaluation import read_test_set
from jaxsr.image.colour import to_float, to_uint8
from jaxsr.image.resize import imresize_on_host
from jaxsr.interop.weights import load_weights_file
from jaxsr.metrics import get_protocol, psnr, ssim

# Folder: (its name in the table, images, tolerance of PSNR, of SSIM). In both the images are in
# alphabetical order.
SETS = {
    "Set5": ("Set5", 5, 1e-3, 1e-5),
    "Set14": ("Set14", 14, 1e-3, 1e-5),
    "BSD100": ("B100", 100, 0.04, 1.5e-3),
}


@pytest.fixture(scope="module")
def measure(reference):
    """`measure(lr, hr)`: PSNR and SSIM on RGB, and on luma, of uint8 images [1, H, W, 3]."""
    model, variables, _ = load_weights_file(reference / "weights" / "pan_x4.pth")

    @jax.jit
    def run(lr, hr):
        sr = to_uint8(model.apply(variables, to_float(lr)))
        return [
            measure(sr, hr, shave=4, luma=luma)
            for luma in (False, True)
            for measure in (psnr, ssim)
        ]

    return lambda lr, hr: np.concatenate(run(lr, hr))


@pytest.mark.parametrize("name", SETS)
def test_every_image(reference, measure, name):
    title, count, of_psnr, of_ssim = SETS[name]
    images = read_test_set(reference / "data" / name, 4, get_protocol("rgb"))
    with (reference / "weights" / "golden" / "pan_x4_per_image.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["dataset"] == title]
    assert len(rows) == len(images) == count
    columns = ("psnr_rgb", "ssim_rgb", "psnr_y", "ssim_y")
    want = np.array([[float(row[column]) for column in columns] for row in rows])
    got = []
    for image in images:
        # A gray image is three equal channels to the network and to both measures.
        hr = np.broadcast_to(image.hr, (*image.hr.shape[:2], 3))
        got.append(measure(imresize_on_host(hr, 1 / 4)[None], hr[None]))
    got = np.stack(got)
    np.testing.assert_allclose(got[:, ::2], want[:, ::2], rtol=0, atol=of_psnr)
    np.testing.assert_allclose(got[:, 1::2], want[:, 1::2], rtol=0, atol=of_ssim)
    np.testing.assert_allclose(got.mean(0), want.mean(0), rtol=0, atol=of_psnr / 4)
