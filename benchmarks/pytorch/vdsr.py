"""VDSR under twtygqyy's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, bicubic, conv


def vdsr(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = bicubic(x, model.scale)
    y = F.relu(conv(state, "input", x))
    for i in range(model.depth - 2):
        y = F.relu(conv(state, f"residual_layer.{i}.conv", y))
    return conv(state, "output", y) + x


NETWORKS = {"vdsr": vdsr}
