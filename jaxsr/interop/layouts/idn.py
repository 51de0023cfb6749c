"""IDN's names: the authors' Caffe layers, with PyTorch's tensors or as an MXNet graph.

No tensor depends on the scale. The public weights are used with a replicated pixel around LR; a
network without it is written with the tensor `zero_padding`, which no public file has.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape

_ZERO = "zero_padding"


def _detect(state: State) -> Found | None:
    features, *_ = shape(state, "conv1.weight") or (0,)
    blocks = count(state, "down{}.weight", start=1)
    if not features or not blocks or shape(state, "upsample.weight") != (features, 1, 17, 17):
        return None
    args = {"blocks": blocks, "features": features}
    usual = {"blocks": 4, "features": 64}
    args = {k: v for k, v in args.items() if v != usual[k]}
    padding = {} if _ZERO in state else {"padding": "edge"}
    return Found("idn", (2, 3, 4), args | padding)


def _fixed(model: Any) -> State:
    return {_ZERO: np.zeros(1, np.float32)} if model.padding == "zero" else {}


def _names(model: Any) -> Mapping[str, str]:
    names = {name: name for name in ("conv1", "conv2", "upsample")}
    for i in range(model.blocks):
        names |= {f"block{i}/conv{j}": f"conv{i + 3}_{j}" for j in range(1, 7)}
        names[f"block{i}/down"] = f"down{i + 1}"
    return names


def _convert_mxnet(state: State) -> State | None:
    if shape(state, "upsample_weight")[2:] != (17, 17):
        return None
    dotted = {}
    for key, value in state.items():
        layer, _, kind = key.rpartition("_")
        dotted[f"{layer}.{kind}"] = value
    return dotted


LAYOUTS = (
    Layout("IDN-Caffe", _detect, _names, _fixed),
    Layout("MXNet", _detect, _names, convert=_convert_mxnet),
)
