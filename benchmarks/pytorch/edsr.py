"""EDSR under EDSR-PyTorch's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, upsampler


def edsr(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = conv(state, "sub_mean", model.rgb_range * x)
    x = head = conv(state, "head.0", x)
    for i in range(model.blocks):
        y = conv(state, f"body.{i}.body.2", F.relu(conv(state, f"body.{i}.body.0", x)))
        x = x + model.res_scale * y
    x = head + conv(state, f"body.{model.blocks}", x)
    steps = 1 if model.scale == 3 else model.scale.bit_length() - 1
    x = upsampler(state, [f"tail.0.{2 * i}" for i in range(steps)], x)
    return conv(state, "add_mean", conv(state, "tail.1", x)) / model.rgb_range


NETWORKS = {"edsr_baseline": edsr, "edsr": edsr}
