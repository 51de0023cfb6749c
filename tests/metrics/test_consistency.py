"""SR made small again: exact, and by matrices in float64."""

from typing import Any

import numpy as np
import pytest

from jaxsr.image import imresize, resize_matrix
from jaxsr.metrics.consistency import consistency

NOISE = np.random.default_rng(2)
HR: Any = NOISE.integers(0, 256, (2, 24, 30, 3), np.uint8)
LR: Any = np.asarray(imresize(HR, 1 / 3, edge="replicate"))


def test_hr_gives_its_lr_to_the_bit():
    assert np.isposinf(consistency(HR, LR)).all()
    off = LR.copy()
    off[1] = np.where(LR[1] < 128, LR[1] + 2, LR[1] - 2)
    exact, other = np.asarray(consistency(HR, off))
    assert np.isposinf(exact) and other == pytest.approx(20 * np.log10(255 / 2), abs=1e-3)


def test_floats_are_not_rounded():
    sr, lr = HR[..., :1] / np.float32(255), NOISE.random((2, 8, 10, 1), np.float32)
    down = [resize_matrix(n, n // 3, 1 / 3, "bicubic", True, "replicate") for n in (24, 30)]
    small = np.einsum("oh,nhwc,pw->nopc", down[0], sr, down[1])
    want = -10 * np.log10(((small - lr) ** 2).mean((1, 2, 3)))
    np.testing.assert_allclose(consistency(sr, lr), want, atol=1e-4)


def test_refusals():
    with pytest.raises(ValueError, match="no whole multiple"):
        consistency(HR[:, :23], LR)
    with pytest.raises(ValueError, match="no whole multiple"):
        consistency(LR, HR)
    with pytest.raises(ValueError, match="both be uint8"):
        consistency(HR, LR / np.float32(255))
