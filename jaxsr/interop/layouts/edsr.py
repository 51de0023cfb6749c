"""EDSR's names: EDSR-PyTorch (and torchSR), BasicSR, mmagic.

super-image's files look like EDSR-PyTorch's to the last tensor but are of another network: pixels
in [0, 1], the mean shift that they hold not applied. They are read as EDSR-PyTorch's, wrongly.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import DIV2K_MEAN, factors


def _found(blocks: int, features: int, scale: int, **args: Any) -> Found:
    """Files do not hold `res_scale`: 0.1 belongs to the large network, 1 to all others."""
    if (blocks, features) == (16, 64):
        return Found("edsr_baseline", (scale,), args)
    if (blocks, features) == (32, 256):
        return Found("edsr", (scale,), args)
    sizes = {"blocks": blocks, "features": features, "res_scale": 1.0}
    return Found("edsr", (scale,), sizes | args)


def upsampler_scale(state: State, pattern: str, features: int, *, step: int = 2) -> int:
    """The scale of an EDSR up-sampler whose layers are `pattern` with 0, `step`, 2 `step`, ..."""
    layers = count(state, pattern, step=step)
    rows = shape(state, pattern.format(0))[:1]
    return 3 if rows == (9 * features,) else 2**layers


def _detect_pytorch(state: State) -> Found | None:
    features, *_ = shape(state, "head.0.weight") or (0,)
    blocks = count(state, "body.{}.body.0.weight")
    if not (features and blocks and f"body.{blocks}.weight" in state and "tail.1.weight" in state):
        return None
    scale = upsampler_scale(state, "tail.0.{}.weight", features)
    unit = shape(state, "sub_mean.bias") == (3,) and abs(float(state["sub_mean.bias"][0])) < 1.0
    return _found(blocks, features, scale, **({"rgb_range": 1.0} if unit else {}))


def mean_shift(rgb_range: float) -> State:
    """The fixed 1x1 layers with which EDSR-PyTorch subtracts and adds the mean colour."""
    eye = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    mean = np.float32(rgb_range) * DIV2K_MEAN
    return {
        "sub_mean.weight": eye,
        "sub_mean.bias": -mean,
        "add_mean.weight": eye,
        "add_mean.bias": mean,
    }


def _names_pytorch(model: Any) -> Mapping[str, str]:
    names = {"head": "head.0", "trunk": f"body.{model.blocks}", "tail": "tail.1"}
    for i in range(model.blocks):
        names |= {f"block{i}_conv1": f"body.{i}.body.0", f"block{i}_conv2": f"body.{i}.body.2"}
    return names | {f"upsample{i}": f"tail.0.{2 * i}" for i in range(len(factors(model.scale)))}


def _detect_basicsr(state: State) -> Found | None:
    features, *_ = shape(state, "conv_first.weight") or (0,)
    blocks = count(state, "body.{}.conv1.weight")
    if not (features and blocks and "conv_after_body.weight" in state):
        return None
    return _found(blocks, features, upsampler_scale(state, "upsample.{}.weight", features))


def _names_basicsr(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_first", "trunk": "conv_after_body", "tail": "conv_last"}
    for i in range(model.blocks):
        names |= {f"block{i}_conv{j}": f"body.{i}.conv{j}" for j in (1, 2)}
    return names | {f"upsample{i}": f"upsample.{2 * i}" for i in range(len(factors(model.scale)))}


def _detect_mmagic(state: State) -> Found | None:
    features, *_ = shape(state, "conv_first.weight") or (0,)
    blocks = count(state, "body.{}.conv1.weight")
    if not (features and blocks and "upsample.0.upsample_conv.weight" in state):
        return None
    scale = upsampler_scale(state, "upsample.{}.upsample_conv.weight", features, step=1)
    return _found(blocks, features, scale, rgb_range=1.0)


def _names_mmagic(model: Any) -> Mapping[str, str]:
    steps = range(len(factors(model.scale)))
    names = dict(_names_basicsr(model))
    return names | {f"upsample{i}": f"upsample.{i}.upsample_conv" for i in steps}


LAYOUTS = (
    Layout(
        "EDSR-PyTorch", _detect_pytorch, _names_pytorch, lambda model: mean_shift(model.rgb_range)
    ),
    Layout("mmagic", _detect_mmagic, _names_mmagic),
    Layout("BasicSR", _detect_basicsr, _names_basicsr),
)
