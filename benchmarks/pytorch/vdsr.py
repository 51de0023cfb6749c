"""VDSR under twtygqyy's names, and of RGB under EDSR-PyTorch's."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, enlarged


def vdsr(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = enlarged(x, model)
    y = F.relu(conv(state, "input", x))
    for i in range(model.depth - 2):
        y = F.relu(conv(state, f"residual_layer.{i}.conv", y))
    return conv(state, "output", y) + x


def vdsr_rgb(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = y = conv(state, "sub_mean", model.rgb_range * enlarged(x, model))
    for i in range(model.depth):
        y = conv(state, f"body.{i}.0", y)
        y = F.relu(y) if i < model.depth - 1 else y
    return conv(state, "add_mean", x + y) / model.rgb_range


NETWORKS = {"vdsr": vdsr}
