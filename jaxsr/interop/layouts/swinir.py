"""SwinIR's names: the authors', which KAIR, BasicSR and spandrel share."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import upsampler_scale
from jaxsr.models import create_model
from jaxsr.models.blocks import factors
from jaxsr.models.swin import position_index, shift_mask

_LARGEST_WINDOW = 32  # whose masks have a million entries; the authors' is 8
_BLOCK = "layers.{}.residual_group.blocks."
_FIRST = _BLOCK.format(0) + "0."


def _sizes(state: State) -> dict[str, Any] | None:
    """The body's fields, or None if it is not SwinIR's. Swin2SR has no bias table, HAT more."""
    first = shape(state, "conv_first.weight")
    table = shape(state, _FIRST + "attn.relative_position_bias_table")
    hidden = shape(state, _FIRST + "mlp.fc1.weight")
    if 0 in first or first[1:] != (3, 3, 3) or len(table) != 2 or len(hidden) != 2:
        return None
    features = first[0]
    if shape(state, _FIRST + "attn.qkv.weight") != (3 * features, features):
        return None
    if any(".overlap_attn." in key for key in state) or "patch_embed.norm.weight" not in state:
        return None
    window = (math.isqrt(table[0]) + 1) // 2
    if not 0 < window <= _LARGEST_WINDOW:
        return None
    return {
        "features": features,
        "blocks": count(state, _FIRST.replace("layers.0", "layers.{}") + "norm1.weight"),
        "layers": count(state, _BLOCK.format(0) + "{}.norm1.weight"),
        "heads": table[1],
        "window": window,
        "mlp_ratio": hidden[0] / features,
        "convs": 1 if "conv_after_body.weight" in state else 3,
        "size": _size(state, window),
    }


def _size(state: State, window: int) -> int:
    """The size for which the file's network was built, from its mask.

    No mask beside the other constant means that windows were not shifted; files without either
    do not tell.
    """
    mask = shape(state, _BLOCK.format(0) + "1.attn_mask")
    if mask[1:] == (window**2, window**2):
        return window * math.isqrt(mask[0])
    return window if _FIRST + "attn.relative_position_index" in state else 64


def _reconstruction(state: State) -> tuple[str, int] | None:
    """Its kind and the scale."""
    rows = (shape(state, "upsample.0.weight") or (0,))[0]
    if "conv_up1.weight" in state:
        return "nearest", 4 if "conv_up2.weight" in state else 2
    if rows and "conv_last.weight" in state:
        return "sub-pixel", upsampler_scale(state, "upsample.{}.weight", 64)
    if rows and rows == 3 * math.isqrt(rows // 3) ** 2:
        return "direct", math.isqrt(rows // 3)
    return None  # the denoising networks end in one convolution


def _detect(state: State) -> Found | None:
    sizes, end = _sizes(state), _reconstruction(state)
    if sizes is None or end is None:
        return None
    kind, scale = end
    name = "swinir_light" if kind == "direct" else "swinir"
    registered = create_model(name, scale=2)
    fields = sizes | {"reconstruction": kind}
    args = {key: value for key, value in fields.items() if getattr(registered, key) != value}
    return Found(name, (scale,), args)


def _convs(model: Any, ours: str, theirs: str) -> dict[str, str]:
    if model.convs == 1:
        return {ours: theirs}
    return {f"{ours}_conv{i}": f"{theirs}.{2 * i}" for i in range(3)}


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_first", "norm_in": "patch_embed.norm", "norm_out": "norm"}
    names |= _convs(model, "trunk", "conv_after_body")
    for i in range(model.blocks):
        names |= _convs(model, f"block{i}/conv", f"layers.{i}.conv")
        for j in range(model.layers):
            ours, theirs = f"block{i}/layer{j}/", f"{_BLOCK.format(i)}{j}."
            for part in ("norm1", "norm2"):
                names[ours + part] = theirs + part
            for part in ("fc1", "fc2"):
                names[ours + part] = f"{theirs}mlp.{part}"
            for part in ("qkv", "proj"):
                names[f"{ours}attention/{part}"] = f"{theirs}attn.{part}"
            table = f"{theirs}attn.relative_position_bias_table"
            names[f"{ours}attention/position_bias"] = table
    steps = range(len(factors(model.scale)))
    if model.reconstruction == "direct":
        return names | {"upsample": "upsample.0"}
    names |= {"before_upsample": "conv_before_upsample.0", "tail": "conv_last"}
    if model.reconstruction == "sub-pixel":
        return names | {f"upsample{i}": f"upsample.{2 * i}" for i in steps}
    return names | {"hr": "conv_hr"} | {f"upsample{i}": f"conv_up{i + 1}" for i in steps}


def _fixed(model: Any) -> State:
    """Indices and masks, which the authors' module holds as buffers."""
    index = position_index(model.window)
    shifted = model.size > model.window
    size = (model.size, model.size)
    fixed: dict[str, np.ndarray] = {}
    if shifted:
        squares = (model.window**2,) * 2
        mask = np.asarray(shift_mask(size, model.window, model.window // 2)).reshape(-1, *squares)
    for i in range(model.blocks):
        for j in range(model.layers):
            layer = f"{_BLOCK.format(i)}{j}."
            fixed[f"{layer}attn.relative_position_index"] = index
            if shifted and j % 2:
                fixed[f"{layer}attn_mask"] = mask
    return fixed


LAYOUTS = (Layout("SwinIR", _detect, _names, _fixed),)
