"""NIQE of the calibration images by LIVE's model, against the official values."""

import hashlib
import importlib

import numpy as np
import pytest
from PIL import Image

from jaxsr.metrics.niqe import load_niqe_model, niqe

niqe_module = importlib.import_module("jaxsr.metrics.niqe")  # the package has a function so named

# The official value (MATLAB), and how far a sum in another order may take it: the more of the
# picture is flat (none of I04, 30 percent of I19), the farther.
OFFICIAL = {
    "I03": (15.7536, 0.01),
    "I04": (3.6549, 3e-5),
    "I06": (3.2355, 5e-4),
    "I08": (3.1840, 0.01),
    "I19": (8.6352, 0.01),
}


def test_the_file_is_the_one_that_is_asked_for(reference):
    data = (reference / "weights" / "niqe_modelparameters.mat").read_bytes()
    assert hashlib.sha256(data).hexdigest() == niqe_module._SHA256


@pytest.mark.parametrize("name", OFFICIAL)
def test_calibration(reference, name):
    """Seen: 15.7460 3.6549 3.2343 3.2020 8.6655; the bounds are relative."""
    folder = reference / "weights"
    file = folder / "golden" / "iqa_calibration" / "dist_dir" / f"{name}.bmp"
    x = np.asarray(Image.open(file).convert("RGB"))[None]
    model = load_niqe_model(folder / "niqe_modelparameters.mat")
    value, bound = OFFICIAL[name]
    assert niqe(x, model, channel="gray")[0] == pytest.approx(value, rel=bound)


def test_luma_and_shave(reference):
    """Others' measurements of I04 and I06: luma, and luma without 4 pixels on every side."""
    model = load_niqe_model(reference / "weights" / "niqe_modelparameters.mat")
    for name, y, shaved in (("I04", 3.7932, 4.6762), ("I06", 3.1894, 4.1191)):
        file = reference / "weights" / "golden" / "iqa_calibration" / "dist_dir" / f"{name}.bmp"
        x = np.asarray(Image.open(file).convert("RGB"))[None]
        got = niqe(x, model)[0], niqe(x, model, shave=4)[0]
        np.testing.assert_allclose(got, (y, shaved), rtol=1e-3)
