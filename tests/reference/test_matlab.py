"""`imresize` against MATLAB: its own output in double, and every LR file of the benchmarks."""

from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from jaxsr.degradations import bicubic
from jaxsr.image import imresize, resize_matrix
from jaxsr.metrics.protocol import crop_to_multiple

KEY = jax.random.key(0)
SETS = {"Set5": 5, "Set14": 14, "BSD100": 100}


def read(path) -> Any:
    pixels = np.asarray(Image.open(path))
    return pixels[..., None] if pixels.ndim == 2 else pixels


@pytest.mark.parametrize("antialias", [True, False])
def test_double_precision(reference, antialias):
    """butterfly.png to 123x234, which shrinks both axes by other factors."""
    folder = reference / "weights" / "golden" / "imresize"
    x = read(folder / "butterfly.png")[..., :3] / 255
    name = "aa" if antialias else "noaa"
    contents = loadmat(str(folder / f"down_down_butterfly_irregular_{name}.mat"))
    (want,) = (value for key, value in contents.items() if not key.startswith("__"))
    want = want.reshape(123, 234, -1)
    rows, columns = (
        resize_matrix(n_in, n_out, n_out / n_in, "bicubic", antialias, "symmetric")
        for n_in, n_out in zip(x.shape[:2], want.shape[:2], strict=True)
    )
    exact = np.einsum("oh,hwc,pw->opc", rows, x, columns, optimize=True)
    np.testing.assert_allclose(exact, want, rtol=0, atol=1e-12)
    y = imresize(x.astype(np.float32), shape=(123, 234), antialias=antialias)
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_lr_file_to_the_bit(reference, scale):
    """119 images a scale, 357 pairs in all."""
    degrade, compared = bicubic(scale), 0
    for name, count in SETS.items():
        files = sorted((reference / "data" / name / "HR").iterdir())
        assert len(files) == count
        for path in files:
            hr = crop_to_multiple(read(path), scale)
            lr = read(path.parents[1] / f"LR_x{scale}" / path.name)
            np.testing.assert_array_equal(degrade(KEY, hr), lr, err_msg=f"{name} {path.name}")
            compared += 1
    assert compared == 357 // 3
