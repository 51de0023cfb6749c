"""CARN's names: the authors' (and torchSR), super-image."""

import functools
from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, shape
from jaxsr.interop.layouts.edsr import upsampler_scale
from jaxsr.models.blocks import factors


def _detect(shift: str, state: State) -> Found | None:
    features, *_ = (*shape(state, "entry.weight"), 0)
    _, inside, *_ = (*shape(state, "b1.b1.body.0.weight"), 0, 0)
    if not (features and inside and {"b1.c1.body.0.weight", f"{shift}.weight"} <= set(state)):
        return None
    scales = tuple(s for s in (2, 3, 4) if f"upsample.up{s}.body.0.weight" in state)
    if not scales:
        scales = (upsampler_scale(state, "upsample.up.body.{}.weight", features, step=3),)
    if not set(scales) <= {2, 3, 4}:
        return None
    mobile = "b1.b2.body.0.weight" not in state
    given = {
        "features": (features, 64),
        "groups": (features // inside, 4 if mobile else 1),
        "scales": (scales, (2, 3, 4)),
    }
    args = {name: value for name, (value, usual) in given.items() if value != usual}
    return Found("carn_m" if mobile else "carn", scales, args)


def _names(shift: str, model: Any) -> Mapping[str, str]:
    names = {"entry": "entry", "exit": "exit"}
    names |= {name: shift.replace("sub_mean", name) for name in ("sub_mean", "add_mean")}
    convs = 3 if model.mobile else 2
    for i in (1, 2, 3):
        names[f"fusion{i}"] = f"c{i}.body.0"
        names |= {f"cascade{i}/fusion{j}": f"b{i}.c{j}.body.0" for j in (1, 2, 3)}
        blocks = {"block": "b1"} if model.mobile else {f"block{j}": f"b{j}" for j in (1, 2, 3)}
        for ours, theirs in blocks.items():
            at = f"cascade{i}/{ours}"
            names |= {f"{at}/conv{k + 1}": f"b{i}.{theirs}.body.{2 * k}" for k in range(convs)}
    for scale in model.scales:
        head = f"upsample.up{scale}" if len(model.scales) > 1 else "upsample.up"
        steps = range(len(factors(scale)))
        names |= {f"upsample_x{scale}/conv{i}": f"{head}.body.{3 * i}" for i in steps}
    return names


def _layout(toolbox: str, shift: str) -> Layout:
    """`shift` is what the toolbox calls the layer that subtracts the mean colour."""
    return Layout(toolbox, functools.partial(_detect, shift), functools.partial(_names, shift))


LAYOUTS = (_layout("CARN-pytorch", "sub_mean.shifter"), _layout("super-image", "sub_mean"))
