"""DBPN's names: the authors', EDSR-PyTorch's of its DDBPN."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.interop.layouts.edsr import mean_shift
from jaxsr.models.dbpn import KERNELS

_SCALES = {size: scale for scale, size in KERNELS.items()}
_PAPER = {"stages": 7, "features": 64, "head_features": 256}


def _found(
    state: State, stages: int, names: Mapping[str, str], kernel: str, **variant: Any
) -> Found | None:
    """The network whose layers have these names, if the numbers of channels fit together."""
    head, first, tail = (shape(state, f"{names[k]}.weight") for k in ("head1", "head2", "tail"))
    scale = _SCALES.get((shape(state, kernel) or (0,))[-1])
    if not (len(head) == len(first) == len(tail) == 4 and scale and stages >= 2):
        return None
    sizes = {"stages": stages, "features": first[0], "head_features": head[0]}
    if tail[1] != stages * first[0] or first[1] != head[0]:
        return None
    args = {key: value for key, value in sizes.items() if value != _PAPER[key]}
    return Found("dbpn", (scale,), args | variant)


# The authors'

_ENDS = {"head1": "feat0.conv", "head2": "feat1.conv", "tail": "output_conv.conv"}


def _detect_authors(state: State) -> Found | None:
    key = "up{}.up_conv1.deconv.weight"
    stages = count(state, key, start=1)
    dense = shape(state, f"up{stages}.conv.conv.weight")
    features, *_ = shape(state, "feat1.conv.weight") or (0,)
    # The recurrent networks of the same names see other maps.
    if stages > 2 and dense[1:2] != ((stages - 1) * features,):
        return None
    return _found(state, stages, _ENDS, key.format(1))


def _names_authors(model: Any) -> Mapping[str, str]:
    if model.variant != "paper":
        raise KeyError(f"the authors have no {model.variant}")
    names = dict(_ENDS) | {"head1_prelu": "feat0.act", "head2_prelu": "feat1.act"}
    for i in range(1, model.stages + 1):
        for unit, kinds in (
            ("up", ("deconv", "conv", "deconv")),
            ("down", ("conv", "deconv", "conv")),
        ):
            for j, kind in enumerate(kinds, 1):
                names[f"{unit}{i}/conv{j}"] = f"{unit}{i}.{unit}_conv{j}.{kind}"
                names[f"{unit}{i}/conv{j}_prelu"] = f"{unit}{i}.{unit}_conv{j}.act"
            names[f"{unit}{i}/bottleneck"] = f"{unit}{i}.conv.conv"
            names[f"{unit}{i}/bottleneck_prelu"] = f"{unit}{i}.conv.act"
    return names


# EDSR-PyTorch's

_ENDS_DDBPN = {"head1": "initial.0", "head2": "initial.2", "tail": "reconstruction.0"}


def _detect_ddbpn(state: State) -> Found | None:
    stages = count(state, "upmodules.{}.conv_1.0.weight")
    kernel = "upmodules.0.conv_1.0.weight"
    return _found(state, stages, _ENDS_DDBPN, kernel, variant="ddbpn")


def _names_ddbpn(model: Any) -> Mapping[str, str]:
    if model.variant != "ddbpn":
        raise KeyError("EDSR-PyTorch has its own variant alone")
    names = dict(_ENDS_DDBPN) | {"head1_prelu": "initial.1", "head2_prelu": "initial.3"}
    for i in range(model.stages):
        for unit in ("up", "down"):
            layers = {f"conv{j}": f"conv_{j}" for j in (1, 2, 3)} | {"bottleneck": "bottleneck"}
            for ours, theirs in layers.items():
                names[f"{unit}{i + 1}/{ours}"] = f"{unit}modules.{i}.{theirs}.0"
                names[f"{unit}{i + 1}/{ours}_prelu"] = f"{unit}modules.{i}.{theirs}.1"
    return names


LAYOUTS = (
    Layout("DBPN-Pytorch", _detect_authors, _names_authors),
    Layout("EDSR-PyTorch", _detect_ddbpn, _names_ddbpn, lambda model: mean_shift(255.0)),
)
