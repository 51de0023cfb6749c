"""MemNet's names: the authors' layers, with PyTorch's tensors.

The layers of Caffe's pairs of batch norm and scale go by the batch norm's name, the convolutions
that a block's recursions share by that of the first recursion.
"""

from collections.abc import Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape


def _detect(state: State) -> Found | None:
    features, *_ = shape(state, "conv1.weight") or (0,)
    blocks = count(state, "conv_transition_{:02d}.weight", start=1)
    recursions = count(state, "bn_conv01_{:02d}_a.weight", start=1)
    weights = shape(state, "weight_output_end")
    if not (features and blocks and recursions and weights == (blocks,)):
        return None
    args = {"blocks": blocks, "recursions": recursions, "features": features}
    usual = {"blocks": 6, "recursions": 6, "features": 64}
    return Found("memnet", (2, 3, 4), {k: v for k, v in args.items() if v != usual[k]})


def _names(model: Any) -> Mapping[str, str]:
    names = {
        "norm_head": "bn_conv1",
        "head": "conv1",
        "tail": "conv_end",
        "weights": "weight_output_end",
    }
    for m in range(model.blocks):
        block, number = f"block{m}", f"{m + 1:02d}"
        names |= {
            f"{block}/conv_a": f"conv{number}_01_a",
            f"{block}/conv_b": f"conv{number}_01_b",
            f"{block}/norm_gate": f"bn_conv_transition_{number}",
            f"{block}/gate": f"conv_transition_{number}",
            f"norm_tail{m}": f"bn_conv_end_{number}",
        }
        for r in range(model.recursions):
            names |= {
                f"{block}/norm_{side}{r}": f"bn_conv{number}_{r + 1:02d}_{side}" for side in "ab"
            }
    return names


LAYOUTS = (Layout("MemNet", _detect, _names, ignored=(r"bn.*\.num_batches_tracked",)),)
