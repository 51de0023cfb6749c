"""LapSRN's names: twtygqyy's port, and the authors' MatConvNet tensors.

The port has 4x4 kernels for the features and no biases; the names of the paper's biases are ours.
Two levels are x4 and, reduced, x3.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape

_SCALES = {1: (2,), 2: (3, 4), 3: (8,)}


def _detect(state: State) -> Found | None:
    features, *_ = shape(state, "conv_input.weight") or (0,)
    levels = count(state, "convt_R{}.weight", start=1)
    depth = 0
    while len(shape(state, _layer(1, depth) + ".weight")) == 4:
        depth += 1
    depth -= 1  # the last one is transposed
    if not features or levels not in _SCALES or depth < 1:
        return None
    args = {
        "depth": depth,
        "features": features,
        "up_size": shape(state, _layer(1, depth) + ".weight")[2],
        "bias": "conv_input.bias" in state,
    }
    usual = {"depth": 10, "features": 64, "up_size": 3, "bias": True}
    return Found("lapsrn", _SCALES[levels], {k: v for k, v in args.items() if v != usual[k]})


def _layer(level: int, i: int) -> str:
    """Convolution i of a level; the one after the last is the transposed one."""
    return f"convt_F{level}.0.cov_block.{2 * i}"


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_input"}
    for i in range(model.levels):
        level = i + 1
        names |= {f"level{i}/conv{d}": _layer(level, d) for d in range(model.depth)}
        names |= {
            f"level{i}/up": _layer(level, model.depth),
            f"level{i}/residual": f"convt_R{level}",
            f"level{i}/image_up": f"convt_I{level}",
        }
    return names


def _convert_matconvnet(state: State) -> State | None:
    """The authors' level 1 is the last one; MATLAB drops trailing axes of length 1."""
    if "input_conv_f" not in state or "level1_img_up_f" not in state:
        return None
    levels = sum(f"level{i}_img_up_f" in state for i in (1, 2, 3))
    depth = sum(re.fullmatch(r"level1_conv\d+_f", key) is not None for key in state)
    converted: dict[str, np.ndarray] = {}
    for key, value in state.items():
        parts = re.fullmatch(r"(?:input|level(\d+))_(.+)_([fb])", key)
        if parts is None:
            return None
        level = levels + 1 - int(parts[1] or levels)
        convolution = re.fullmatch(r"conv(\d+)", parts[2])
        if convolution:
            name = _layer(level, int(convolution[1]) - 1)
        else:
            name = {
                "conv": "conv_input",
                "upconv": _layer(level, depth),
                "residual_conv": f"convt_R{level}",
                "img_up": f"convt_I{level}",
            }.get(parts[2], key)
        if parts[3] == "b":
            converted[f"{name}.bias"] = np.reshape(value, -1)
        elif value.ndim > 4:
            return None
        else:
            # [h, w, in, out]; of a transposed convolution [h, w, out, in].
            kernel = np.reshape(value, value.shape + (1,) * (4 - value.ndim))
            converted[f"{name}.weight"] = kernel.transpose(3, 2, 0, 1)
    return converted


LAYOUTS = (
    Layout("pytorch-LapSRN", _detect, _names),
    Layout("MatConvNet", _detect, _names, convert=_convert_matconvnet),
)
