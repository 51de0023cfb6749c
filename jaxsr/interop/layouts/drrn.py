"""DRRN's names: DRRN-pytorch's, and the same network as an MXNet graph.

DRRN-pytorch has no batch norm; the names of the paper's are ours. Nothing in a file without batch
norm tells the number of units: 25. Its weights serve all scales.
"""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape

_MXNET = {
    "learned_0": "input.weight",
    "learned_1": "conv1.weight",
    "learned_2": "conv2.weight",
    "learned_3": "output.weight",
}


def _detect(state: State) -> Found | None:
    features, *_ = shape(state, "input.weight") or (0,)
    square = (features, features, 3, 3)
    shapes = [shape(state, f"{name}.weight") for name in ("input", "conv1", "conv2", "output")]
    if shapes != [(features, 1, 3, 3), square, square, (1, features, 3, 3)]:
        return None
    args: dict[str, Any] = {} if features == 128 else {"features": features}
    if "bn_input.weight" not in state:
        return Found("drrn", (2, 3, 4), args | {"batch_norm": False})
    units = count(state, "bn1.{}.weight")
    if units == 9:
        return Found("drrn_b1u9", (2, 3, 4), args)
    return Found("drrn", (2, 3, 4), args if units == 25 else args | {"units": units})


def _names(model: Any) -> Mapping[str, str]:
    names = {"head": "input", "conv1": "conv1", "conv2": "conv2", "tail": "output"}
    if not model.batch_norm:
        return names
    names |= {"norm_head": "bn_input", "norm_tail": "bn_output"}
    return names | {f"norm{i}_{u}": f"bn{i}.{u}" for i in (1, 2) for u in range(model.units)}


def _convert_mxnet(state: State) -> State | None:
    if set(state) != set(_MXNET):
        return None
    return {_MXNET[key]: value for key, value in state.items()}


LAYOUTS = (
    Layout("DRRN-pytorch", _detect, _names, ignored=(r"bn.*\.num_batches_tracked",)),
    Layout("MXNet", _detect, _names, convert=_convert_mxnet),
)
