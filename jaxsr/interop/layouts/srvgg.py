"""SRVGGNetCompact's names: Real-ESRGAN's, which BasicSR and traiNNer-redux share."""

import math
from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, shape


def _detect(state: State) -> Found | None:
    """Without slopes the activation is unknown: ReLU is assumed."""
    first = shape(state, "body.0.weight")
    if len(first) != 4 or first[1:] != (3, 3, 3):
        return None
    last = 0
    while f"body.{last + 2}.weight" in state:
        last += 2
    # Convolutions at even places alone, slopes or nothing between them.
    if any(not key.startswith("body.") for key in state) or last < 2:
        return None
    rows = (shape(state, f"body.{last}.weight") or (0,))[0]
    scale = math.isqrt(rows // 3)
    if scale == 0 or 3 * scale**2 != rows:
        return None
    args: dict[str, Any] = {}
    if (last - 2) // 2 != 16:
        args["layers"] = (last - 2) // 2
    if first[0] != 64:
        args["features"] = first[0]
    if "body.1.weight" not in state:
        args["activation"] = "relu"
    elif shape(state, "body.1.weight") != first[:1]:
        return None
    return Found("srvgg", (scale,), args)


def _names(model: Any) -> Mapping[str, str]:
    names = {"last": f"body.{2 * model.layers + 2}"}
    for i in range(model.layers + 1):
        names |= {f"conv{i}": f"body.{2 * i}", f"prelu{i}": f"body.{2 * i + 1}"}
    return names


LAYOUTS = (Layout("Real-ESRGAN", _detect, _names),)
