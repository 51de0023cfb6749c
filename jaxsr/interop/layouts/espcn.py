"""ESPCN's names: yjn870, Lornatang, leftthomas."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, shape


def _detector(conv1: str, conv2: str, conv3: str, **args: Any) -> Callable[[State], Found | None]:
    """Recognises the three convolutions under these names; the last one's rows tell the scale."""

    def detect(state: State) -> Found | None:
        rows, *rest = shape(state, f"{conv3}.weight") or (0,)
        first, second = (shape(state, f"{name}.weight") for name in (conv1, conv2))
        channels = first[1] if first in ((64, 1, 5, 5), (64, 3, 5, 5)) else 0
        if not (channels and second == (32, 64, 3, 3) and rest == [32, 3, 3]):
            return None
        scale = math.isqrt(rows // channels)
        if scale < 2 or channels * scale**2 != rows:
            return None
        centred = {} if "centre" in state else {"centred": False}
        colour = {} if channels == 1 else {"channels": channels}
        return Found("espcn", (scale,), centred | colour | args)

    return detect


def _layout(toolbox: str, conv1: str, conv2: str, conv3: str, **args: Any) -> Layout:
    names: Mapping[str, str] = {"conv1": conv1, "conv2": conv2, "conv3": conv3}
    return Layout(toolbox, _detector(conv1, conv2, conv3, **args), lambda model: names, _centre)


def _centre(model: Any) -> State:
    """What no toolbox has: it keeps them from running a centred network as if it were not."""
    return {"centre": np.array([0.5], np.float32)} if model.centred else {}


LAYOUTS = (
    _layout("yjn870", "first_part.0", "first_part.2", "last_part.0"),
    _layout("Lornatang", "feature_maps.0", "feature_maps.2", "sub_pixel.0"),
    _layout("leftthomas", "conv1", "conv2", "conv3", sigmoid=True),
)
