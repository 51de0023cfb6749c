"""Losses of the spectrum against NumPy and closed forms."""

from typing import Any

import numpy as np
import pytest

from jaxsr.losses import fft, focal_frequency

RNG = np.random.default_rng(7)
SR: Any = RNG.random((2, 6, 8, 3), np.float32)
HR: Any = RNG.random((2, 6, 8, 3), np.float32)


def test_fft_against_numpy():
    spectrum = np.fft.rfft2(SR.astype(float) - HR, axes=(1, 2))
    want = np.abs(np.stack([spectrum.real, spectrum.imag])).mean()
    assert float(fft(SR, HR)) == pytest.approx(want, rel=1e-5)


def test_fft_of_a_constant_error():
    """Its only entry, H W times the error, among 2 H (W / 2 + 1) real and imaginary parts."""
    assert float(fft(HR + np.float32(0.25), HR)) == pytest.approx(48 * 0.25 / 60, rel=1e-4)


def test_focal_frequency_against_numpy():
    size = np.abs(np.fft.fft2(SR.astype(float) - HR, axes=(1, 2), norm="ortho"))
    want = (size / size.max((1, 2), keepdims=True) * size**2).mean()
    assert float(focal_frequency(SR, HR)) == pytest.approx(want, rel=1e-5)


def test_focal_frequency_of_a_constant_error():
    """All the error at one frequency, whose weight is 1: by Parseval the squared error."""
    assert float(focal_frequency(HR + np.float32(0.25), HR)) == pytest.approx(0.0625, rel=1e-4)
