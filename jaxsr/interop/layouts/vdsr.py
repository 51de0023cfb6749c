"""VDSR's names: twtygqyy, Lornatang; both without biases. One network fits every scale."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape


def _layout(toolbox: str, first: str, middle: str, last: str) -> Layout:
    """`middle` is a pattern for the index of the convolutions between the first and the last."""

    def detect(state: State) -> Found | None:
        features, *rest = shape(state, f"{first}.weight") or (0,)
        if rest != [1, 3, 3] or shape(state, f"{last}.weight") != (1, features, 3, 3):
            return None
        depth = count(state, f"{middle}.weight") + 2
        if depth == 2 or shape(state, f"{middle}.weight".format(0)) != (features, features, 3, 3):
            return None
        sizes = {"depth": depth, "features": features, "biases": f"{first}.bias" in state}
        usual = {"depth": 20, "features": 64, "biases": True}
        return Found("vdsr", (2, 3, 4), {k: v for k, v in sizes.items() if v != usual[k]})

    def names(model: Any) -> Mapping[str, str]:
        end = model.depth - 1
        inner = {f"conv{i}": middle.format(i - 1) for i in range(1, end)}
        return {"conv0": first, **inner, f"conv{end}": last}

    return Layout(toolbox, detect, names)


LAYOUTS = (
    _layout("twtygqyy", "input", "residual_layer.{}.conv", "output"),
    _layout("Lornatang", "conv1.0", "trunk.{}.conv", "conv2"),
)
