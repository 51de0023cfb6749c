"""RLFN's names: the authors'."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.imdn import sub_pixel_scale

_BLOCK = {
    "conv1": "c1_r",
    "conv2": "c2_r",
    "conv3": "c3_r",
    "fuse": "c5",
    "attention/reduce": "esa.conv1",
    "attention/stride": "esa.conv2",
    "attention/grid": "esa.conv3",
    "attention/skip": "esa.conv_f",
    "attention/expand": "esa.conv4",
}


def _detect(state: State) -> Found | None:
    key = "block_{}.esa.conv_f.weight"
    blocks = count(state, key, start=1)
    features, *_ = shape(state, "conv_1.weight") or (0,)
    middle, *_ = shape(state, "block_1.c1_r.weight") or (0,)
    scale = sub_pixel_scale(state, "upsampler.0.weight")
    if not (blocks and features and middle and scale in (2, 3, 4)):
        return None
    args = {"middle": middle} if middle != features else {}
    args |= {"blocks": blocks} if blocks != 6 else {}
    if features == 48 and not args:
        return Found("rlfn_s", (scale,))
    args |= {"features": features} if features != 52 else {}
    return Found("rlfn", (scale,), args)


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_1", "trunk": "conv_2", "upsample": "upsampler.0"}
    for i in range(model.blocks):
        names |= {f"block{i}/{ours}": f"block_{i + 1}.{its}" for ours, its in _BLOCK.items()}
    return names


LAYOUTS = (Layout("RLFN", _detect, _names),)
