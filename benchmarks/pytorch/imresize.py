"""MATLAB's bicubic `imresize` in NumPy, in the form that the toolboxes carry.

Weights and indices for each axis, the image mirrored beyond its borders, a loop over the rows of
the result. Written from the definition (Keys' kernel, a = -0.5, stretched when it shrinks), not
from jaxsr's.
"""

import functools
import math

import numpy as np


def imresize(image: np.ndarray, scale: float) -> np.ndarray:
    """float32 [H, W, C] to [ceil(scale * H), ceil(scale * W), C]; nothing is clipped."""
    for _ in range(2):  # the rows; then, the axes swapped, the columns
        image = np.ascontiguousarray(_rows(image, scale).swapaxes(0, 1))
    return image


def _rows(image: np.ndarray, scale: float) -> np.ndarray:
    n, m, c = image.shape
    weights, first, before, after = weights_and_indices(n, math.ceil(scale * n), scale)
    padded = np.pad(image, ((before, after), (0, 0), (0, 0)), mode="symmetric")
    padded = padded.reshape(len(padded), m * c)
    taps = weights.shape[1]
    out = np.empty((len(weights), m * c), np.float32)
    for i, start in enumerate(first):
        out[i] = weights[i] @ padded[start : start + taps]
    return out.reshape(-1, m, c)


@functools.cache
def weights_and_indices(
    n: int, m: int, scale: float
) -> tuple[np.ndarray, tuple[int, ...], int, int]:
    """Weights [m, taps], each row's first pixel in the padded axis, pixels to pad on both sides."""
    shrink = min(scale, 1.0)
    width = 4.0 / shrink
    centre = (np.arange(m) + 0.5) / scale - 0.5
    taps = math.ceil(width) + 2
    left = np.floor(centre - width / 2).astype(int)
    distance = centre[:, None] - (left[:, None] + np.arange(taps))
    weights = _keys(shrink * distance)
    weights /= weights.sum(1, keepdims=True)
    before = max(0, -int(left.min()))
    after = max(0, int(left.max()) + taps - n)
    return weights.astype(np.float32), tuple((left + before).tolist()), before, after


def _keys(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel, a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
