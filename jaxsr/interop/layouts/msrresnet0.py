"""MSRResNet0's names: KAIR's and the first code of ESRGAN's authors, a numbered sequence."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.esrgan import numbered
from jaxsr.models.blocks import factors
from jaxsr.models.msrresnet0 import MSRResNet0


def _detect(state: State) -> Found | None:
    blocks = count(state, "model.1.sub.{}.res.0.weight")
    if not blocks:
        return None
    steps = 0
    while f"{numbered(blocks, steps + 1)[f'upsample{steps}']}.weight" in state:
        steps += 1
    layers = numbered(blocks, steps)
    features, *rest = shape(state, f"{layers['head']}.weight") or (0,)
    tail = shape(state, f"{layers['tail']}.weight")
    if not steps or rest != [3, 3, 3] or tail != (3, features, 3, 3):
        return None
    has = {
        "blocks": blocks,
        "features": features,
        "tail_bias": f"{layers['tail']}.bias" in state,
    }
    args = {key: value for key, value in has.items() if value != getattr(MSRResNet0, key)}
    # A convolution after nearest enlargement is the same for 2 and 3.
    return Found("msrresnet0", (2, 3) if steps == 1 else (2**steps,), args)


def _names(model: Any) -> Mapping[str, str]:
    layers = numbered(model.blocks, len(factors(model.scale)))
    for i in range(model.blocks):
        layers |= {f"block{i}/conv{j + 1}": f"model.1.sub.{i}.res.{2 * j}" for j in (0, 1)}
    return layers


LAYOUTS = (Layout("KAIR", _detect, _names),)
