"""Interpolation matrices in NumPy float64: SR = rows @ image @ columns.T.

Each function gives the dense [n_out, n_in] matrix that resamples one axis. `matlab_matrix` is
MATLAB's `imresize`, `pillow_matrix` is Pillow's `Image.resize`; they differ in how far a window
reaches and in what lies beyond the border.
"""

import math
from collections.abc import Callable

import numpy as np


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = -0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _box(x: np.ndarray) -> np.ndarray:
    return ((x >= -0.5) & (x < 0.5)).astype(np.float64)


def _lanczos(order: int) -> Callable[[np.ndarray], np.ndarray]:
    def kernel(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) < order, np.sinc(x) * np.sinc(x / order), 0.0)

    return kernel


# name -> (kernel, width of its support)
KERNELS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "nearest": (_box, 1.0),
    "bilinear": (_triangle, 2.0),
    "bicubic": (_cubic, 4.0),
    "lanczos2": (_lanczos(2), 4.0),
    "lanczos3": (_lanczos(3), 6.0),
}
EDGES = ("symmetric", "replicate")


def _dense(n_in: int, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Scatters taps ([n_out, taps] indices inside 0..n_in-1) into the dense matrix."""
    matrix = np.zeros((len(index), n_in))
    np.add.at(matrix, (np.arange(len(index))[:, None], index), weight)
    return matrix


def matlab_matrix(
    n_in: int, n_out: int, scale: float, kernel: str, antialias: bool, edge: str
) -> np.ndarray:
    """MATLAB's `imresize` along one axis, with `scale` = out/in as MATLAB was given it."""
    function, width = KERNELS[kernel]
    shrink = min(scale, 1.0) if antialias else 1.0
    width = width / shrink
    centre = np.arange(1, n_out + 1) / scale + 0.5 * (1.0 - 1.0 / scale)  # MATLAB counts from 1
    left = np.floor(centre - width / 2)
    tap = left[:, None] + np.arange(math.ceil(width) + 2)
    weight = shrink * function(shrink * (centre[:, None] - tap))
    weight /= weight.sum(axis=1, keepdims=True)
    if edge == "replicate":
        index = np.clip(tap, 1, n_in).astype(np.int64) - 1
    else:  # 1..n, n..1, 1..n and so on
        folded = np.mod(tap.astype(np.int64) - 1, 2 * n_in)
        index = np.minimum(folded, 2 * n_in - 1 - folded)
    return _dense(n_in, index, weight)


def pillow_matrix(n_in: int, n_out: int, kernel: str) -> np.ndarray:
    """Pillow's `Image.resize` along one axis: the window is cut at the border and renormalised."""
    scale = n_in / n_out
    if kernel == "nearest":
        index = np.floor((np.arange(n_out) + 0.5) * scale).astype(np.int64)
        return _dense(n_in, index[:, None], np.ones((n_out, 1)))
    function, width = KERNELS[kernel]
    stretch = max(scale, 1.0)
    support = width / 2 * stretch
    centre = (np.arange(n_out) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + support + 0.5).astype(np.int64), n_in)
    tap = first[:, None] + np.arange(math.ceil(support) * 2 + 1)
    weight = function((tap - centre[:, None] + 0.5) / stretch)
    weight = np.where(tap < last[:, None], weight, 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    return _dense(n_in, np.minimum(tap, n_in - 1), weight)
