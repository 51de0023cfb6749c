"""MDSR's names: EDSR-PyTorch."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import mean_shift, upsampler_scale
from jaxsr.models.blocks import factors


def _detect(state: State) -> Found | None:
    features, *_ = (*shape(state, "head.0.weight"), 0)
    blocks = count(state, "body.{}.body.0.weight")
    heads = count(state, "pre_process.{}.0.body.0.weight")
    if not (features and blocks and heads and "tail.0.weight" in state):
        return None
    # super-image's has 3x3 kernels there, no mean shift, and another residual scaling.
    if shape(state, "pre_process.0.0.body.0.weight")[2:] != (5, 5):
        return None
    scales = tuple(
        upsampler_scale(state, f"upsample.{i}.{{}}.weight", features) for i in range(heads)
    )
    if not set(scales) <= {2, 3, 4} or len(set(scales)) < heads:
        return None
    mean = shape(state, "sub_mean.bias") == (3,) and abs(float(state["sub_mean.bias"][0]))
    given = {
        "blocks": (blocks, 16 if blocks == 16 else 80),
        "features": (features, 64),
        "scales": (scales, (2, 3, 4)),
        "rgb_range": (1.0 if 0 < mean < 1 else 255.0, 255.0),
    }
    args = {name: value for name, (value, usual) in given.items() if value != usual}
    return Found("mdsr_baseline" if blocks == 16 else "mdsr", scales, args)


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "head.0", "trunk": f"body.{model.blocks}", "tail": "tail.0"}
    for i in range(model.blocks):
        names |= {f"block{i}/conv{j + 1}": f"body.{i}.body.{2 * j}" for j in range(2)}
    for at, scale in enumerate(model.scales):
        for i in range(2):
            block = f"preprocess_x{scale}/block{i}"
            names |= {f"{block}/conv{j + 1}": f"pre_process.{at}.{i}.body.{2 * j}" for j in (0, 1)}
        steps = range(len(factors(scale)))
        names |= {f"upsample_x{scale}/conv{i}": f"upsample.{at}.{2 * i}" for i in steps}
    return names


LAYOUTS = (Layout("EDSR-PyTorch", _detect, _names, lambda model: mean_shift(model.rgb_range)),)
