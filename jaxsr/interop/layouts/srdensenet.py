"""SRDenseNet's names: yjn870's."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import factors


def _detect(state: State) -> Found | None:
    growth, *_ = shape(state, "dense_blocks.0.block.0.conv.weight") or (0,)
    features, *_ = shape(state, "bottleneck.0.weight") or (0,)
    steps = count(state, "deconv.{}.weight", step=2)
    if not (growth and features and steps in (1, 2) and "reconstruction.weight" in state):
        return None
    args = {
        "blocks": count(state, "dense_blocks.{}.block.0.conv.weight"),
        "layers": count(state, "dense_blocks.0.block.{}.conv.weight"),
        "growth": growth,
        "features": features,
    }
    usual = {"blocks": 8, "layers": 8, "growth": 16, "features": 256}
    args = {k: v for k, v in args.items() if v != usual[k]}
    return Found("srdensenet", (2**steps,), args)


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "conv.conv", "bottleneck": "bottleneck.0", "tail": "reconstruction"}
    names |= {f"upsample{i}": f"deconv.{2 * i}" for i in range(len(factors(model.scale)))}
    for i in range(model.blocks):
        names |= {
            f"block{i}/conv{j}": f"dense_blocks.{i}.block.{j}.conv" for j in range(model.layers)
        }
    return names


LAYOUTS = (Layout("yjn870", _detect, _names),)
