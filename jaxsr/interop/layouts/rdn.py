"""RDN's names: EDSR-PyTorch; yjn870, mmagic and torchSR, which agree.

These networks have no mean shift, in 0..255 (EDSR-PyTorch) or 0..1 (the others). One with a mean
shift is written with EDSR-PyTorch's tensors for it, by which it is recognised again.
"""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import mean_shift
from jaxsr.models.blocks import factors


def _found(
    state: State, first: str, dense: str, upscale: str, tail: str, **args: Any
) -> Found | None:
    """`dense` and `upscale` are patterns of layers; `tail` is the last convolution."""
    features, *_ = (*shape(state, f"{first}.weight"), 0)
    blocks = count(state, dense.format("{}", 0))
    layers = count(state, dense.format(0, "{}"))
    growth, *_ = (*shape(state, dense.format(0, 0)), 0)
    _, up_features, *_ = (*shape(state, f"{tail}.weight"), 0, 0)
    if not (features and blocks and growth and up_features):
        return None
    rows = shape(state, upscale.format(0))[:1]
    layers_up = sum(
        upscale.format(2 * i) in state and upscale.format(2 * i) != f"{tail}.weight"
        for i in range(3)
    )
    scale = 3 if rows == (9 * up_features,) else 2**layers_up
    if scale not in (2, 3, 4):
        return None
    small = (blocks, layers, growth) == (20, 6, 32)
    usual = {"blocks": 16, "layers": 8, "growth": 64} | {"features": 64, "up_features": 64}
    if small:
        usual |= {"blocks": 20, "layers": 6, "growth": 32}
    sizes = dict(zip(usual, (blocks, layers, growth, features, up_features), strict=True))
    args |= {name: value for name, value in sizes.items() if value != usual[name]}
    return Found("rdn_a" if small else "rdn", (scale,), args)


def _detect_pytorch(state: State) -> Found | None:
    steps = [i for i in range(4) if f"UPNet.{2 * i}.weight" in state]
    if not steps:
        return None
    args: dict[str, Any] = {"mean_shift": False}
    if shape(state, "sub_mean.bias") == (3,):
        args = {"rgb_range": 1.0} if abs(float(state["sub_mean.bias"][0])) < 1 else {}
    tail = f"UPNet.{2 * steps[-1]}"
    dense = "RDBs.{}.convs.{}.conv.0.weight"
    return _found(state, "SFENet1", dense, "UPNet.{}.weight", tail, **args)


def _names_pytorch(model: Any) -> Mapping[str, str]:
    names = {"shallow1": "SFENet1", "shallow2": "SFENet2", "fusion1": "GFF.0", "fusion2": "GFF.1"}
    for i in range(model.blocks):
        names[f"block{i}/fusion"] = f"RDBs.{i}.LFF"
        names |= {f"block{i}/dense{j}": f"RDBs.{i}.convs.{j}.conv.0" for j in range(model.layers)}
    steps = len(factors(model.scale))
    names |= {f"upsample{i}": f"UPNet.{2 * i}" for i in range(steps)}
    return names | {"tail": f"UPNet.{2 * steps}"}


def _fixed_pytorch(model: Any) -> State:
    return mean_shift(model.rgb_range) if model.mean_shift else {}


def _detect_yjn870(state: State) -> Found | None:
    dense, args = "rdbs.{}.layers.{}.conv.weight", {"mean_shift": False, "rgb_range": 1.0}
    return _found(state, "sfe1", dense, "upscale.{}.weight", "output", **args)


def _names_yjn870(model: Any) -> Mapping[str, str]:
    names = {"shallow1": "sfe1", "shallow2": "sfe2", "fusion1": "gff.0", "fusion2": "gff.1"}
    for i in range(model.blocks):
        names[f"block{i}/fusion"] = f"rdbs.{i}.lff"
        names |= {f"block{i}/dense{j}": f"rdbs.{i}.layers.{j}.conv" for j in range(model.layers)}
    steps = range(len(factors(model.scale)))
    return names | {f"upsample{i}": f"upscale.{2 * i}" for i in steps} | {"tail": "output"}


LAYOUTS = (
    Layout("EDSR-PyTorch", _detect_pytorch, _names_pytorch, _fixed_pytorch),
    Layout("yjn870", _detect_yjn870, _names_yjn870),
)
