"""The numbers and pictures of a comparison."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from jaxsr.errors import InputError
from jaxsr.image.io import Picture, write_image
from jaxsr.report.columns import Column
from jaxsr.report.compare import measure

NOISE = np.random.default_rng(0)
HR = NOISE.integers(40, 216, (23, 26, 3), np.uint8)


@pytest.fixture
def column(tmp_path):
    """`column(label, part, pixels)`: a column of one picture."""

    def make(label, part, pixels):
        path = tmp_path / f"{label}.png"
        write_image(path, Picture(pixels))
        return Column(label, part, (path,))

    return make


def near(x):
    return (x + NOISE.integers(-30, 30, x.shape)).astype(np.uint8)


def test_numbers_against_scikit_image(column):
    """Of unrounded luma without the border; results as large as HR, or already cropped."""
    whole, cropped = near(HR), near(HR)[:20, :24]
    columns = [
        column("LR", "LR", HR[:20:4, :24:4]),
        column("whole", "result", whole),
        column("cropped", "result", cropped),
        column("same", "result", HR),
        column("HR", "HR", HR),
    ]
    image = measure("a", columns, 0, 4)
    assert [x.shape[:2] for x in image.pictures] == [(5, 6)] + 4 * [(20, 24)]
    np.testing.assert_array_equal(image.pictures[2], cropped)
    assert image.scores[0] is None and image.scores[4] is None
    assert image.scores[3] == (np.inf, pytest.approx(1.0, abs=1e-6))

    def y(x):
        x = x[4:16, 4:20].astype(np.float64)
        return 16 + x @ [65.481, 128.553, 24.966] / 255

    for sr, score in zip((whole, cropped), image.scores[1:3], strict=True):
        pair = y(HR), y(sr)
        ssim = structural_similarity(
            *pair, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        assert score == pytest.approx(
            (peak_signal_noise_ratio(*pair, data_range=255), ssim), abs=1e-4
        )


def test_gray_is_its_own_luma_where_all_is_gray(column):
    gray = HR[..., :1]
    sr = near(gray)
    hr = column("HR", "HR", gray)
    image = measure("a", [column("sr", "result", sr), hr], 0, 1)
    assert {x.shape[-1] for x in image.pictures} == {1}
    pair = gray[1:-1, 1:-1].astype(np.float64), sr[1:-1, 1:-1].astype(np.float64)
    (score, _) = image.scores
    assert score is not None
    assert score[0] == pytest.approx(peak_signal_noise_ratio(*pair, data_range=255), abs=1e-4)
    mixed = measure("a", [column("sr", "result", np.repeat(sr, 3, -1)), hr], 0, 1)
    assert {x.shape[-1] for x in mixed.pictures} == {3}


def test_without_hr_nothing_is_measured(column):
    columns = [column("a", "result", HR), column("b", "result", HR)]
    assert measure("a", columns, 0, 4).scores == (None, None)


def test_refusals(column):
    def fails(*columns, scale=4):
        with pytest.raises(InputError) as error:
            measure("a", columns, 0, scale)
        return str(error.value)

    hr = column("HR", "HR", HR)
    small = column("small", "result", HR[:16])
    lr = column("LR", "LR", HR[:5, :6])
    assert "small.png: is 24x16, but" in fails(small, hr)
    assert fails(small, hr).endswith("HR.png needs 24x20")
    assert "LR.png: is 6x5, but" in fails(lr, hr, scale=2)
    assert fails(lr, hr, scale=2).endswith("at x2 needs 13x11")
    assert "too few to score at x8" in fails(column("b", "result", HR), hr, scale=8)
    assert "less than one pixel of LR at x16" in fails(column("a", "result", HR[:9]), scale=16)
