"""VDSR's names: twtygqyy and Lornatang, both of luma and without biases; EDSR-PyTorch and torchSR,
of RGB. One network fits every scale."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import mean_shift
from jaxsr.models.vdsr import VDSR


def _found(state: State, first: str, depth: int, **args: Any) -> Found:
    features = shape(state, f"{first}.weight")[0]
    has = {"depth": depth, "features": features, "biases": f"{first}.bias" in state} | args
    return Found("vdsr", (2, 3, 4), {k: v for k, v in has.items() if v != getattr(VDSR, k)})


def _luma(toolbox: str, first: str, middle: str, last: str) -> Layout:
    """`middle` is a pattern for the index of the convolutions between the first and the last."""

    def detect(state: State) -> Found | None:
        features, *rest = shape(state, f"{first}.weight") or (0,)
        if rest != [1, 3, 3] or shape(state, f"{last}.weight") != (1, features, 3, 3):
            return None
        depth = count(state, f"{middle}.weight") + 2
        if depth == 2 or shape(state, f"{middle}.weight".format(0)) != (features, features, 3, 3):
            return None
        return _found(state, first, depth)

    def names(model: Any) -> Mapping[str, str]:
        end = model.depth - 1
        inner = {f"conv{i}": middle.format(i - 1) for i in range(1, end)}
        return {"conv0": first, **inner, f"conv{end}": last}

    return Layout(toolbox, detect, names)


def _rgb(toolbox: str, layer: str, step: int, **args: Any) -> Layout:
    """`layer` is a pattern for the index of all convolutions, which rises by `step`."""

    def key(i: int) -> str:
        return layer.format(step * i)

    def detect(state: State) -> Found | None:
        depth = 0
        while f"{key(depth)}.weight" in state:
            depth += 1
        features, *rest = shape(state, f"{key(0)}.weight") or (0,)
        if depth < 2 or rest != [3, 3, 3] or shape(state, "sub_mean.bias") != (3,):
            return None
        if shape(state, f"{key(depth - 1)}.weight") != (3, features, 3, 3):
            return None
        rgb_range = 1.0 if abs(float(state["sub_mean.bias"][0])) < 1 else 255.0
        return _found(state, key(0), depth, channels=3, rgb_range=rgb_range, **args)

    return Layout(
        toolbox,
        detect,
        lambda model: {f"conv{i}": key(i) for i in range(model.depth)},
        lambda model: mean_shift(model.rgb_range),
    )


LAYOUTS = (
    _luma("twtygqyy", "input", "residual_layer.{}.conv", "output"),
    _luma("Lornatang", "conv1.0", "trunk.{}.conv", "conv2"),
    _rgb("EDSR-PyTorch", "body.{}.0", 1),
    _rgb("torchSR", "body.{}", 2, pytorch_bicubic=True),
)
