"""PAN's names: the authors', also super-image's."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.blocks import factors

_BLOCK = {
    "plain_in": "conv1_a",
    "plain_conv": "k1.0",
    "masked_in": "conv1_b",
    "mask": "PAConv.k2",
    "masked_conv1": "PAConv.k3",
    "masked_conv2": "PAConv.k4",
    "fuse": "conv3",
}


def _detect(state: State) -> Found | None:
    """x2 and x3 have the same tensors."""
    blocks = count(state, "SCPA_trunk.{}.PAConv.k2.weight")
    features, *_ = shape(state, "conv_first.weight") or (0,)
    up_features, *_ = shape(state, "att1.conv.weight") or (0,)
    if not (blocks and features and up_features):
        return None
    sizes = {"blocks": (blocks, 16), "features": (features, 40), "up_features": (up_features, 24)}
    args = {key: value for key, (value, usual) in sizes.items() if value != usual}
    return Found("pan", (4,) if "upconv2.weight" in state else (2, 3), args)


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "conv_first", "trunk": "trunk_conv", "tail": "conv_last"}
    for i in range(model.blocks):
        names |= {f"block{i}/{ours}": f"SCPA_trunk.{i}.{its}" for ours, its in _BLOCK.items()}
    for i, _ in enumerate(factors(model.scale)):
        names |= {
            f"up{i}/conv1": f"upconv{i + 1}",
            f"up{i}/mask": f"att{i + 1}.conv",
            f"up{i}/conv2": f"HRconv{i + 1}",
        }
    return names


LAYOUTS = (Layout("PAN", _detect, _names),)
