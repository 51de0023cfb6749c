"""DRCN's names as a plain PyTorch module has them: nobody has published weights of the paper's
network, and the re-implementations change it."""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, shape

_NAMES = {
    "embed0": "embedding.0",
    "embed1": "embedding.2",
    "recursion/conv": "recursion.0",
    "reconstruction/conv1": "reconstruction.0",
    "reconstruction/conv2": "reconstruction.2",
    "weights": "weights",
}


def _detect(state: State) -> Found | None:
    features, *rest = shape(state, "embedding.0.weight") or (0,)
    inner = (features, features, 3, 3)
    recursions = shape(state, "weights")
    if rest != [1, 3, 3] or shape(state, "recursion.0.weight") != inner or len(recursions) != 1:
        return None
    sizes = {"features": features, "recursions": recursions[0]}
    usual = {"features": 256, "recursions": 16}
    return Found("drcn", (2, 3, 4), {k: v for k, v in sizes.items() if v != usual[k]})


def _names(model: Any) -> Mapping[str, str]:
    del model
    return _NAMES


LAYOUTS = (Layout("PyTorch", _detect, _names),)
