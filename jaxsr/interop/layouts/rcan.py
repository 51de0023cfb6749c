"""RCAN's names: EDSR-PyTorch (and the authors, torchSR), BasicSR."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import mean_shift, upsampler_scale
from jaxsr.models.blocks import factors


def _found(
    state: State, first: str, block: str, squeeze: str, upsample: str, **args: Any
) -> Found | None:
    """`block` is the pattern of a block's first convolution, `squeeze` of its attention's."""
    features, *_ = (*shape(state, first), 0)
    squeezed, *_ = (*shape(state, squeeze.format(0, 0)), 0)
    groups, blocks = count(state, block.format("{}", 0)), count(state, block.format(0, "{}"))
    if not (features and squeezed and groups and blocks):
        return None
    scale = upsampler_scale(state, upsample, features)
    if scale not in (2, 3, 4, 8):
        return None
    sizes = {"groups": groups, "blocks": blocks, "features": features}
    sizes["reduction"] = features // squeezed
    usual = {"groups": 10, "blocks": 20, "features": 64, "reduction": 16}
    args |= {name: value for name, value in sizes.items() if value != usual[name]}
    return Found("rcan", (scale,), args)


def _shift(state: State) -> dict[str, Any]:
    """What the mean-shift layers say: the authors' code trained them along with the network.

    Files without them are of networks trained without, on [0, 1].
    """
    if shape(state, "sub_mean.bias") != (3,):
        return {"mean_shift": "none", "rgb_range": 1.0}
    unit = abs(float(state["sub_mean.bias"][0])) < 1
    args: dict[str, Any] = {"rgb_range": 1.0} if unit else {}
    for key, value in mean_shift(1.0 if unit else 255.0).items():
        if shape(state, key) == value.shape and not np.allclose(state[key], value, 1e-5, 1e-6):
            return args | {"mean_shift": "learned"}
    return args


def _detect_pytorch(state: State) -> Found | None:
    return _found(
        state,
        "head.0.weight",
        "body.{}.body.{}.body.0.weight",
        "body.{}.body.{}.body.3.conv_du.0.weight",
        "tail.0.{}.weight",
        **_shift(state),
    )


def _names_pytorch(model: Any) -> Mapping[str, str]:
    names = {"head": "head.0", "trunk": f"body.{model.groups}", "tail": "tail.1"}
    for i in range(model.groups):
        names[f"group{i}/conv"] = f"body.{i}.body.{model.blocks}"
        for j in range(model.blocks):
            block, theirs = f"group{i}/block{j}", f"body.{i}.body.{j}.body"
            names |= {f"{block}/conv1": f"{theirs}.0", f"{block}/conv2": f"{theirs}.2"}
            names[f"{block}/squeeze"] = f"{theirs}.3.conv_du.0"
            names[f"{block}/excite"] = f"{theirs}.3.conv_du.2"
    names |= {f"upsample{i}": f"tail.0.{2 * i}" for i in range(len(factors(model.scale)))}
    learned = {"sub_mean": "sub_mean", "add_mean": "add_mean"}
    return names | (learned if model.mean_shift == "learned" else {})


def _fixed_pytorch(model: Any) -> State:
    return mean_shift(model.rgb_range) if model.mean_shift == "fixed" else {}


def _detect_basicsr(state: State) -> Found | None:
    return _found(
        state,
        "conv_first.weight",
        "body.{}.residual_group.{}.rcab.0.weight",
        "body.{}.residual_group.{}.rcab.3.attention.1.weight",
        "upsample.{}.weight",
    )


def _names_basicsr(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_first", "trunk": "conv_after_body", "tail": "conv_last"}
    for i in range(model.groups):
        names[f"group{i}/conv"] = f"body.{i}.conv"
        for j in range(model.blocks):
            block, theirs = f"group{i}/block{j}", f"body.{i}.residual_group.{j}.rcab"
            names |= {f"{block}/conv1": f"{theirs}.0", f"{block}/conv2": f"{theirs}.2"}
            names[f"{block}/squeeze"] = f"{theirs}.3.attention.1"
            names[f"{block}/excite"] = f"{theirs}.3.attention.3"
    return names | {f"upsample{i}": f"upsample.{2 * i}" for i in range(len(factors(model.scale)))}


LAYOUTS = (
    Layout("EDSR-PyTorch", _detect_pytorch, _names_pytorch, _fixed_pytorch),
    Layout("BasicSR", _detect_basicsr, _names_basicsr),
)
