"""Interpolation along one axis, in NumPy float64: which pixels each output takes, and how much.

`matlab_taps` is MATLAB's `imresize`, `pillow_taps` is Pillow's `Image.resize`; they differ in how
far a window reaches and in what lies beyond the border.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def _cubic(a: float) -> Callable[[np.ndarray], np.ndarray]:
    """Keys' cubic convolution."""

    def kernel(x: np.ndarray) -> np.ndarray:
        x = np.abs(x)
        near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        far = ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0.0))

    return kernel


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
    "bicubic": (_cubic(-0.5), 4.0),
    "bicubic75": (_cubic(-0.75), 4.0),
    "lanczos2": (_lanczos(2), 4.0),
    "lanczos3": (_lanczos(3), 6.0),
}
EDGES = ("symmetric", "replicate")


@dataclass(frozen=True)
class Taps:
    """out[i] = sum over k of weight[i, k] * x[index[i, k]].

    Attributes:
      index: [n_out, taps] int64, each in 0..n_in-1; near a border one may occur twice in a row.
      weight: [n_out, taps] float64; every row sums to 1.
      n_in: the length of the axis.
    """

    index: np.ndarray
    weight: np.ndarray
    n_in: int

    def matrix(self, values: np.ndarray | None = None) -> np.ndarray:
        """The dense [n_out, n_in] matrix of the weights, or of other `values` of their shape."""
        values = self.weight if values is None else values
        matrix = np.zeros((len(values), self.n_in), values.dtype)
        np.add.at(matrix, (np.arange(len(values))[:, None], self.index), values)
        return matrix


def _taps(n_in: int, index: np.ndarray, weight: np.ndarray) -> Taps:
    weight = weight / weight.sum(axis=1, keepdims=True)
    used = (weight != 0).any(axis=0)
    return Taps(index[:, used], weight[:, used], n_in)


def matlab_taps(
    n_in: int, n_out: int, scale: float, kernel: str, antialias: bool, edge: str
) -> Taps:
    """MATLAB's `imresize` along one axis, with `scale` = out/in as MATLAB was given it."""
    function, width = KERNELS[kernel]
    shrink = min(scale, 1.0) if antialias else 1.0
    width = width / shrink
    centre = np.arange(1, n_out + 1) / scale + 0.5 * (1.0 - 1.0 / scale)  # MATLAB counts from 1
    left = np.floor(centre - width / 2)
    tap = left[:, None] + np.arange(math.ceil(width) + 2)
    weight = function(shrink * (centre[:, None] - tap))
    if edge == "replicate":
        index = np.clip(tap, 1, n_in).astype(np.int64) - 1
    else:  # 1..n, n..1, 1..n and so on
        folded = np.mod(tap.astype(np.int64) - 1, 2 * n_in)
        index = np.minimum(folded, 2 * n_in - 1 - folded)
    return _taps(n_in, index, weight)


def pillow_taps(n_in: int, n_out: int, kernel: str) -> Taps:
    """Pillow's `Image.resize` along one axis: the window is cut at the border and renormalised."""
    scale = n_in / n_out
    if kernel == "nearest":
        index = np.floor((np.arange(n_out) + 0.5) * scale).astype(np.int64)
        return Taps(index[:, None], np.ones((n_out, 1)), n_in)
    function, width = KERNELS[kernel]
    stretch = max(scale, 1.0)
    support = width / 2 * stretch
    centre = (np.arange(n_out) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + support + 0.5).astype(np.int64), n_in)
    tap = first[:, None] + np.arange(math.ceil(support) * 2 + 1)
    weight = function((tap - centre[:, None] + 0.5) / stretch)
    weight = np.where(tap < last[:, None], weight, 0.0)
    return _taps(n_in, np.minimum(tap, n_in - 1), weight)
