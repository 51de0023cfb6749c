"""MDSR under EDSR-PyTorch's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, upsampler


def _block(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return x + conv(state, f"{name}.body.2", F.relu(conv(state, f"{name}.body.0", x)))


def mdsr(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    at = model.scales.index(model.scale)
    x = conv(state, "head.0", conv(state, "sub_mean", model.rgb_range * x))
    for i in range(2):
        x = _block(state, f"pre_process.{at}.{i}", x)
    skip = x
    for i in range(model.blocks):
        x = _block(state, f"body.{i}", x)
    x = skip + conv(state, f"body.{model.blocks}", x)
    steps = {2: 1, 3: 1, 4: 2}[model.scale]
    x = upsampler(state, [f"upsample.{at}.{2 * i}" for i in range(steps)], x)
    return conv(state, "add_mean", conv(state, "tail.0", x)) / model.rgb_range


NETWORKS = {"mdsr_baseline": mdsr, "mdsr": mdsr}
