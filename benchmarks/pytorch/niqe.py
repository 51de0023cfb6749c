"""NIQE in NumPy, in the form that the toolboxes carry: block after block, SciPy's filters.

Written from the definition (Mittal et al. 2013 and what the released code does), not from jaxsr's.
"""

import numpy as np
from scipy.ndimage import correlate
from scipy.special import gamma

from benchmarks.pytorch.imresize import imresize

_BLOCK = 96
_ALPHA = np.arange(0.2, 10.0005, 0.001)
_G1, _G2, _G3 = (gamma(k / _ALPHA) for k in (1, 2, 3))
_R = _G2**2 / (_G1 * _G3)
_X = np.arange(-3, 4)
_WINDOW = np.exp(-(_X[:, None] ** 2 + _X**2) / (2 * (7 / 6) ** 2))
_WINDOW /= _WINDOW.sum()


def niqe(gray: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Of levels [H, W], by a pristine mean [36] and covariance [36, 36]."""
    gray = gray[: len(gray) // _BLOCK * _BLOCK, : gray.shape[1] // _BLOCK * _BLOCK].astype(float)
    scales = []
    for side in (_BLOCK, _BLOCK // 2):
        mu = correlate(gray, _WINDOW, mode="nearest")
        sigma = np.sqrt(np.abs(correlate(gray**2, _WINDOW, mode="nearest") - mu**2))
        mscn = (gray - mu) / (sigma + 1)
        starts = [(i, j) for i in range(0, len(gray), side) for j in range(0, gray.shape[1], side)]
        scales.append([_statistics(mscn[i : i + side, j : j + side]) for i, j in starts])
        gray = imresize(gray[..., None], 0.5)[..., 0].astype(float)
    features = np.concatenate(scales, axis=1)
    difference = np.nanmean(features, axis=0) - mean
    own = np.cov(features[~np.isnan(features).any(axis=1)], rowvar=False)
    return float(np.sqrt(difference @ np.linalg.pinv((covariance + own) / 2) @ difference))


def _statistics(block: np.ndarray) -> list[float]:
    alpha, left, right, _ = _fit(block)
    features = [alpha, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        alpha, left, right, ratio = _fit(block * np.roll(block, shift, axis=(0, 1)))
        features += [alpha, (right - left) * ratio, left, right]
    return features


def _fit(v: np.ndarray) -> tuple[float, float, float, float]:
    """An asymmetric generalised Gaussian: alpha, both betas, G(2 / alpha) / G(1 / alpha)."""
    left, right = (np.sqrt(np.mean(part**2)) for part in (v[v < 0], v[v > 0]))
    skew = left / right
    wanted = np.mean(np.abs(v)) ** 2 / np.mean(v**2)
    wanted *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    at = np.argmin((_R - wanted) ** 2)
    spread = np.sqrt(_G1[at] / _G3[at])
    return _ALPHA[at], left * spread, right * spread, _G2[at] / _G1[at]
