"""FSRCNN's names: yjn870, Lornatang, and the authors' MATLAB files.

The deconvolution has 9x9 taps at every scale: files do not tell it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.srcnn import from_matlab

Names = Callable[[int], Mapping[str, str]]  # of a network with so many mapping layers

_SIZES = {(56, 12, 4): "fsrcnn", (32, 5, 1): "fsrcnn_s"}


def _layers(mappings: int) -> list[str]:
    return ["extract", "shrink", *(f"map{i}" for i in range(mappings)), "expand"]


def _detector(
    names: Names, mappings: Callable[[State], int], **args: Any
) -> Callable[[State], Found | None]:
    def detect(state: State) -> Found | None:
        m = max(0, mappings(state))
        keys = names(m)
        d, *extract = shape(state, f"{keys['extract']}.weight") or (0,)
        s = (shape(state, f"{keys['shrink']}.weight") or (0,))[0]
        expand = shape(state, f"{keys['expand']}.weight")
        if extract not in ([1, 5, 5], [3, 5, 5]) or expand != (d, s, 1, 1):
            return None
        if shape(state, f"{keys['deconvolve']}.weight") != (d, extract[0], 9, 9):
            return None
        shared = shape(state, f"{keys['extract_prelu']}.weight") == (1,)
        found = args | ({"shared_slopes": True} if shared else {})
        found |= {} if extract[0] == 1 else {"channels": extract[0]}
        if (d, s, m) in _SIZES:
            return Found(_SIZES[d, s, m], (2, 3, 4), found)
        return Found("fsrcnn", (2, 3, 4), {"features": d, "shrunk": s, "mappings": m} | found)

    return detect


def _yjn870(mappings: int) -> Mapping[str, str]:
    names = {"extract": "first_part.0", "extract_prelu": "first_part.1"}
    for i, layer in enumerate(_layers(mappings)[1:]):
        names |= {layer: f"mid_part.{2 * i}", f"{layer}_prelu": f"mid_part.{2 * i + 1}"}
    return names | {"deconvolve": "last_part"}


def _lornatang(mappings: int) -> Mapping[str, str]:
    names = {"deconvolve": "deconv"}
    for layer, name in {
        "extract": "feature_extraction",
        "shrink": "shrink",
        "expand": "expand",
    }.items():
        names |= {layer: f"{name}.0", f"{layer}_prelu": f"{name}.1"}
    for i in range(mappings):
        names |= {f"map{i}": f"map.{2 * i}", f"map{i}_prelu": f"map.{2 * i + 1}"}
    return names


def _authors(mappings: int) -> Mapping[str, str]:
    """The cells of the MATLAB file."""
    names: dict[str, str] = {}
    for i, layer in enumerate(_layers(mappings)):
        names |= {layer: f"matlab_conv{i}", f"{layer}_prelu": f"matlab_prelu{i}"}
    return names | {"deconvolve": f"matlab_conv{mappings + 3}"}


def _from_authors(state: State) -> State | None:
    """Three cell arrays with an element per layer; the last layer's slope is empty."""
    cells = [state.get(f"{kind}_conv") for kind in ("weights", "biases", "prelu")]
    if any(cell is None or cell.dtype != object for cell in cells):
        return None
    found: dict[str, np.ndarray] = {}
    layers = list(zip(*(np.ravel(cell) for cell in cells if cell is not None), strict=False))
    for i, (kernel, bias, slope) in enumerate(layers):
        taps = np.shape(kernel)[1:2]
        if np.ndim(kernel) != 3 or math.isqrt(taps[0]) ** 2 != taps[0]:
            return None
        found[f"matlab_conv{i}.weight"] = from_matlab(kernel)
        found[f"matlab_conv{i}.bias"] = np.ravel(bias)
        if np.size(slope):
            found[f"matlab_prelu{i}.weight"] = np.ravel(slope)
    return found


def _layout(
    toolbox: str,
    names: Names,
    mappings: Callable[[State], int],
    convert: Callable[[State], State | None] | None = None,
    **args: Any,
) -> Layout:
    return Layout(
        toolbox,
        _detector(names, mappings, **args),
        lambda model: names(model.mappings),
        convert=convert,
    )


LAYOUTS = (
    _layout("yjn870", _yjn870, lambda state: count(state, "mid_part.{}.weight") // 2 - 2),
    _layout("Lornatang", _lornatang, lambda state: count(state, "map.{}.weight") // 2),
    _layout(
        "authors",
        _authors,
        lambda state: count(state, "matlab_conv{}.weight") - 4,
        _from_authors,
        padding="edge",
    ),
)
