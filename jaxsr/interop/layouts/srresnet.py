"""SRResNet's names: Lornatang's SRGAN-PyTorch, today's and those of 2022, and leftthomas's SRGAN.

Lornatang's convolutions before batch norms have no biases and its result is in [0, 1]; with
biases the names are those of the paper's network. leftthomas's result is (tanh + 1) / 2.
"""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import factors
from jaxsr.models.srresnet import SRResNet

_COUNTERS = (r".*\.num_batches_tracked",)


def _found(state: State, blocks: int, steps: int, last: str, args: dict[str, Any]) -> Found:
    """`last` is the name of the first sub-pixel convolution."""
    rows = (shape(state, f"{last}.weight") or (0,))[0]
    scale = 3 if rows == 9 * args["features"] else 2**steps
    has = {"blocks": blocks} | args
    changed = {key: value for key, value in has.items() if value != getattr(SRResNet, key)}
    return Found("srresnet", (scale,), changed)


def _lornatang(toolbox: str, prefix: str) -> Layout:
    def detect(state: State) -> Found | None:
        blocks = count(state, "trunk.{}.rcb.0.weight")
        features, *_ = shape(state, f"{prefix}1.0.weight") or (0,)
        steps = count(state, "upsampling.{}.upsample_block.0.weight")
        if not (blocks and features and steps and f"{prefix}3.weight" in state):
            return None
        bias = "trunk.0.rcb.0.bias" in state
        args = {
            "features": features,
            "shared_slope": shape(state, f"{prefix}1.1.weight") == (1,),
            "bias": bias,
            "output": "signed" if bias else "unit",
        }
        return _found(state, blocks, steps, "upsampling.0.upsample_block.0", args)

    def names(model: Any) -> Mapping[str, str]:
        layers = {
            "head": f"{prefix}1.0",
            "head_prelu": f"{prefix}1.1",
            "trunk": f"{prefix}2.0",
            "trunk_bn": f"{prefix}2.1",
            "tail": f"{prefix}3",
        }
        inside = ("conv1", "bn1", "prelu", "conv2", "bn2")
        for i in range(model.blocks):
            layers |= {f"block{i}/{part}": f"trunk.{i}.rcb.{k}" for k, part in enumerate(inside)}
        for i in range(len(factors(model.scale))):
            block = f"upsampling.{i}.upsample_block"
            layers |= {f"upsample{i}": f"{block}.0", f"upsample{i}_prelu": f"{block}.2"}
        return layers

    return Layout(toolbox, detect, names, ignored=_COUNTERS)


def _detect_leftthomas(state: State) -> Found | None:
    blocks = count(state, "block{}.conv1.weight", start=2)
    features, *_ = shape(state, "block1.0.weight") or (0,)
    last = f"block{blocks + 3}"
    steps = count(state, f"{last}.{{}}.conv.weight")
    if not (blocks and features and steps and f"{last}.{steps}.weight" in state):
        return None
    args = {
        "features": features,
        "shared_slope": shape(state, "block1.1.weight") == (1,),
        "bias": "block2.conv1.bias" in state,
        "output": "tanh",
    }
    return _found(state, blocks, steps, f"{last}.0.conv", args)


def _names_leftthomas(model: Any) -> Mapping[str, str]:
    steps = len(factors(model.scale))
    trunk, last = f"block{model.blocks + 2}", f"block{model.blocks + 3}"
    layers = {"head": "block1.0", "head_prelu": "block1.1", "tail": f"{last}.{steps}"}
    layers |= {"trunk": f"{trunk}.0", "trunk_bn": f"{trunk}.1"}
    for i in range(model.blocks):
        inside = ("conv1", "bn1", "prelu", "conv2", "bn2")
        layers |= {f"block{i}/{part}": f"block{i + 2}.{part}" for part in inside}
    for i in range(steps):
        layers |= {f"upsample{i}": f"{last}.{i}.conv", f"upsample{i}_prelu": f"{last}.{i}.prelu"}
    return layers


LAYOUTS = (
    _lornatang("SRGAN-PyTorch", "conv"),
    _lornatang("SRGAN-PyTorch 2022", "conv_block"),
    Layout("leftthomas", _detect_leftthomas, _names_leftthomas, ignored=_COUNTERS),
)
