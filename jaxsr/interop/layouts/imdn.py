"""IMDN's names: the authors' (also of IMDN_AS), KAIR's of the AIM 2019 variant."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape


def sub_pixel_scale(state: State, key: str) -> int:
    """The scale of the convolution that feeds a pixel shuffle to RGB, or 0."""
    rows = (*shape(state, key), 0)[0]
    scale = math.isqrt(rows // 3)
    return scale if rows == 3 * scale**2 else 0


def _found(
    state: State, blocks: int, first: str, last: str, kept: str, **args: Any
) -> Found | None:
    features, *_ = shape(state, first) or (0,)
    scale = sub_pixel_scale(state, last)
    if not (blocks and scale in (2, 3, 4) and shape(state, kept)[:1] == (features // 4,)):
        return None
    sizes = {"blocks": blocks} if blocks != 6 else {}
    sizes |= {"features": features} if features != 64 else {}
    return Found("imdn", (scale,), sizes | args)


def _detect_authors(state: State) -> Found | None:
    key = "IMDB{}.cca.conv_du.0.weight"
    blocks = count(state, key, start=1)
    last, kept = "upsampler.0.weight", "IMDB1.c4.weight"
    if "fea_conv.0.weight" not in state:
        return _found(state, blocks, "fea_conv.weight", last, kept)
    found = _found(state, blocks, "fea_conv.0.weight", last, kept)
    return replace(found, scales=(1,)) if found and found.scales == (4,) else None


def _names_authors(model: Any) -> Mapping[str, str]:
    if model.variant != "paper":
        raise KeyError(f"the authors have no {model.variant}")
    names = {"head": "fea_conv", "fuse": "c.0", "trunk": "LR_conv", "upsample": "upsampler.0"}
    if model.scale == 1:
        names |= {"reduce": "fea_conv.0", "head": "fea_conv.2"}
    for i in range(model.blocks):
        theirs = f"IMDB{i + 1}"
        names |= {f"block{i}/conv{j}": f"{theirs}.c{j}" for j in (1, 2, 3, 4)}
        names |= {
            f"block{i}/fuse": f"{theirs}.c5",
            f"block{i}/attention/squeeze": f"{theirs}.cca.conv_du.0",
            f"block{i}/attention/excite": f"{theirs}.cca.conv_du.2",
        }
    return names


def _detect_kair(state: State) -> Found | None:
    blocks = count(state, "model.1.sub.{}.conv1x1.weight")
    kept = "model.1.sub.0.conv4.weight"
    return _found(state, blocks, "model.0.weight", "model.2.weight", kept, variant="aim2019")


def _names_kair(model: Any) -> Mapping[str, str]:
    if model.variant != "aim2019":
        raise KeyError("KAIR has the AIM 2019 variant alone")
    names = {"head": "model.0", "trunk": f"model.1.sub.{model.blocks}", "upsample": "model.2"}
    for i in range(model.blocks):
        theirs = f"model.1.sub.{i}"
        names |= {f"block{i}/conv{j}": f"{theirs}.conv{j}.0" for j in (1, 2, 3)}
        names |= {f"block{i}/conv4": f"{theirs}.conv4", f"block{i}/fuse": f"{theirs}.conv1x1"}
    return names


LAYOUTS = (
    Layout("IMDN", _detect_authors, _names_authors),
    Layout("KAIR", _detect_kair, _names_kair),
)
