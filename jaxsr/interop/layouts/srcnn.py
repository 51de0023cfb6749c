"""SRCNN's names: yjn870, Lornatang, mmagic (RGB), and the authors' MATLAB files."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, shape

_KERNELS = {5: ("srcnn", {}), 3: ("srcnn", {"kernel2": 3}), 1: ("srcnn_915", {})}


def _detector(
    conv1: str, conv2: str, conv3: str, channels: int = 1, **args: Any
) -> Callable[[State], Found | None]:
    """Recognises the three convolutions under these names; one network fits every scale."""

    def detect(state: State) -> Found | None:
        *middle, size = shape(state, f"{conv2}.weight")[:3] or (0,)
        first, last = (shape(state, f"{name}.weight") for name in (conv1, conv3))
        if (first, last, middle) != ((64, channels, 9, 9), (channels, 32, 5, 5), [32, 64]):
            return None
        if size not in _KERNELS:
            return None
        model, kernel = _KERNELS[size]
        colour = {} if channels == 1 else {"channels": channels}
        return Found(model, (2, 3, 4), kernel | colour | args)

    return detect


def _layout(
    toolbox: str,
    conv1: str,
    conv2: str,
    conv3: str,
    convert: Callable[[State], State | None] | None = None,
    **args: Any,
) -> Layout:
    names: Mapping[str, str] = {"conv1": conv1, "conv2": conv2, "conv3": conv3}
    detect = _detector(conv1, conv2, conv3, **args)
    return Layout(toolbox, detect, lambda model: names, convert=convert)


def from_matlab(kernel: np.ndarray) -> np.ndarray:
    """[in, h * w, out] of the authors' files, square kernels in column-major order, as PyTorch's
    [out, in, h, w]."""
    inputs, taps, outputs = kernel.shape
    size = math.isqrt(taps)
    return kernel.reshape(inputs, size, size, outputs).transpose(3, 0, 2, 1)


def _from_authors(state: State) -> State | None:
    """conv1 is stored [h * w, out], conv3 [in, h * w], biases as columns."""
    kernels = [shape(state, f"weights_conv{i}") for i in (1, 2, 3)]
    biases = [f"biases_conv{i}" for i in (1, 2, 3)]
    if [len(kernel) for kernel in kernels] != [2, 3, 2] or not all(
        name in state for name in biases
    ):
        return None
    if any(math.isqrt(taps) ** 2 != taps for taps in (kernels[0][0], kernels[1][1], kernels[2][1])):
        return None
    whole = (
        state["weights_conv1"][None],
        state["weights_conv2"],
        state["weights_conv3"][:, :, None],
    )
    found: dict[str, np.ndarray] = {}
    for i, kernel in enumerate(whole, 1):
        found[f"matlab{i}.weight"] = from_matlab(kernel)
        found[f"matlab{i}.bias"] = np.ravel(state[f"biases_conv{i}"])
    return found


LAYOUTS = (
    _layout("yjn870", "conv1", "conv2", "conv3"),
    _layout("Lornatang", "features.0", "map.0", "reconstruction"),
    _layout("mmagic", "conv1", "conv2", "conv3", channels=3, pytorch_bicubic=True),
    _layout("authors", "matlab1", "matlab2", "matlab3", _from_authors, padding="edge"),
)
