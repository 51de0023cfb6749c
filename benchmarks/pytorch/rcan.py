"""RCAN under EDSR-PyTorch's names, which are its authors'."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, upsampler


def _attention(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    y = F.relu(conv(state, f"{name}.conv_du.0", F.adaptive_avg_pool2d(x, 1)))
    return x * torch.sigmoid(conv(state, f"{name}.conv_du.2", y))


def rcan(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = model.rgb_range * x
    if "sub_mean.weight" in state:
        x = conv(state, "sub_mean", x)
    x = head = conv(state, "head.0", x)
    for i in range(model.groups):
        group = x
        for j in range(model.blocks):
            name = f"body.{i}.body.{j}.body"
            y = conv(state, f"{name}.2", F.relu(conv(state, f"{name}.0", x)))
            x = x + _attention(state, f"{name}.3", y)
        x = group + conv(state, f"body.{i}.body.{model.blocks}", x)
    x = head + conv(state, f"body.{model.groups}", x)
    steps = {2: 1, 3: 1, 4: 2, 8: 3}[model.scale]
    x = conv(state, "tail.1", upsampler(state, [f"tail.0.{2 * i}" for i in range(steps)], x))
    if "add_mean.weight" in state:
        x = conv(state, "add_mean", x)
    return x / model.rgb_range


NETWORKS = {"rcan": rcan}
