"""SRFeat in PyTorch's form; the authors' code is TensorFlow's, and no port is in wide use."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import factors
from jaxsr.models.srfeat import SRFeat


def _detect(state: State) -> Found | None:
    blocks = count(state, "body.{}.bn1.weight")
    features, *_ = shape(state, "head.weight") or (0,)
    if not (blocks and features and count(state, "taps.{}.weight") == blocks - 1):
        return None
    has = {"blocks": blocks, "features": features}
    args = {key: value for key, value in has.items() if value != getattr(SRFeat, key)}
    return Found("srfeat", (4,), args)


def _names(model: Any) -> Mapping[str, str]:
    layers = {"head": "head", "tail": "tail"}
    for i in range(model.blocks):
        layers[f"tap{i}"] = f"taps.{i}"
        layers |= {f"block{i}/{part}": f"body.{i}.{part}" for part in ("conv1", "bn1")}
        layers |= {f"block{i}/{part}": f"body.{i}.{part}" for part in ("conv2", "bn2")}
    return layers | {f"upsample{i}": f"upsample.{i}" for i in range(len(factors(model.scale)))}


LAYOUTS = (Layout("PyTorch", _detect, _names, ignored=(r".*\.num_batches_tracked",)),)
