"""FSRCNN under yjn870's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, prelu


def fsrcnn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = prelu(state, "first_part.1", conv(state, "first_part.0", x))
    for i in range(0, 2 * (model.mappings + 2), 2):
        x = prelu(state, f"mid_part.{i + 1}", conv(state, f"mid_part.{i}", x))
    return F.conv_transpose2d(
        x,
        state["last_part.weight"],
        state["last_part.bias"],
        stride=model.scale,
        padding=4,
        output_padding=model.scale - 1,
    )


NETWORKS = {"fsrcnn": fsrcnn, "fsrcnn_s": fsrcnn}
