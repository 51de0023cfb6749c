"""EnhanceNet's names: the authors' TensorFlow file, and the same names in PyTorch's form.

The layers are numbered in their order: Conv, Conv_1, ... In PyTorch's form the tensor
`skip.weight`, the weights of TensorFlow 1's bicubic, says that the network was trained over it.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, shape
from jaxsr.models.blocks import factors
from jaxsr.models.enhancenet import EnhanceNet, tf1_weights


def _layer(i: int) -> str:
    return f"Conv_{i}" if i else "Conv"


def _detect(state: State) -> Found | None:
    layers = 0
    while f"{_layer(layers)}.weight" in state:
        layers += 1
    # First, two a block, two enlarging, one in HR space, last.
    blocks, odd = divmod(layers - 5, 2)
    features, *_ = shape(state, "Conv.weight") or (0,)
    if blocks < 1 or odd or not features:
        return None
    has = {
        "blocks": blocks,
        "features": features,
        "skip": "tf1" if "skip.weight" in state else "bicubic",
    }
    args = {key: value for key, value in has.items() if value != getattr(EnhanceNet, key)}
    return Found("enhancenet", (4,), args)


def _names(model: Any) -> Mapping[str, str]:
    steps = len(factors(model.scale))
    layers = ["head"]
    layers += [f"block{i}/conv{j}" for i in range(model.blocks) for j in (1, 2)]
    layers += [f"upsample{i}" for i in range(steps)] + ["hr", "tail"]
    return {layer: _layer(i) for i, layer in enumerate(layers)}


def _fixed(model: Any) -> State:
    return {"skip.weight": tf1_weights(model.scale)} if model.skip == "tf1" else {}


def _convert(state: State) -> State | None:
    """TensorFlow's [h, w, in, out] to PyTorch's [out, in, h, w]."""
    tensors = {"skip.weight": tf1_weights(4)}
    for key, value in state.items():
        named = re.fullmatch(r"generator/(Conv(?:_\d+)?)/(weights|biases)", key)
        if named is None:
            return None
        layer, kind = named.groups()
        if kind == "biases":
            tensors[f"{layer}.bias"] = value
        elif np.ndim(value) == 4:
            tensors[f"{layer}.weight"] = np.transpose(value, (3, 2, 0, 1))
    return tensors


LAYOUTS = (
    Layout("PyTorch", _detect, _names, _fixed),
    Layout("EnhanceNet-Code", _detect, _names, _fixed, convert=_convert),
)
