"""MSRResNet's names: BasicSR, KAIR (its MSRResNet1), mmagic."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import factors
from jaxsr.models.msrresnet import MSRResNet


def _layout(toolbox: str, body: str, upsample: str, hr: str, **args: Any) -> Layout:
    """`upsample` is the name of the sub-pixel layer {}, from 1."""

    def detect(state: State) -> Found | None:
        blocks = count(state, f"{body}.{{}}.conv1.weight")
        features, *_ = shape(state, "conv_first.weight") or (0,)
        rows, *_ = shape(state, f"{upsample.format(1)}.weight") or (0,)
        if not (blocks and features and rows and f"{hr}.weight" in state):
            return None
        twice = f"{upsample.format(2)}.weight" in state
        scale = 4 if twice else 3 if rows == 9 * features else 2
        has = {"blocks": blocks, "features": features} | args
        changed = {key: value for key, value in has.items() if value != getattr(MSRResNet, key)}
        return Found("msrresnet", (scale,), changed)

    def names(model: Any) -> Mapping[str, str]:
        layers = {"head": "conv_first", "hr": hr, "tail": "conv_last"}
        for i in range(model.blocks):
            layers |= {f"block{i}/conv{j}": f"{body}.{i}.conv{j}" for j in (1, 2)}
        steps = range(len(factors(model.scale)))
        return layers | {f"upsample{i}": upsample.format(i + 1) for i in steps}

    return Layout(toolbox, detect, names)


LAYOUTS = (
    _layout("BasicSR", "body", "upconv{}", "conv_hr"),
    _layout("KAIR", "recon_trunk", "upconv{}", "HRconv"),
    _layout("mmagic", "trunk_net", "upsample{}.upsample_conv", "conv_hr", activate_upsampler=False),
)
