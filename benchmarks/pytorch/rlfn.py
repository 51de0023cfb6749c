"""RLFN under its authors' names; at least 15 pixels a side."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def _attention(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    narrow = conv(state, f"{name}.conv1", x)
    grid = F.max_pool2d(conv(state, f"{name}.conv2", narrow, stride=2, padding=0), 7, stride=3)
    grid = conv(state, f"{name}.conv3", grid)
    grid = F.interpolate(grid, x.shape[2:], mode="bilinear", align_corners=False)
    mask = conv(state, f"{name}.conv4", grid + conv(state, f"{name}.conv_f", narrow))
    return x * torch.sigmoid(mask)


def rlfn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = first = conv(state, "conv_1", model.rgb_range * x)
    for i in range(1, model.blocks + 1):
        y = x
        for layer in ("c1_r", "c2_r", "c3_r"):
            y = F.leaky_relu(conv(state, f"block_{i}.{layer}", y), 0.05)
        x = _attention(state, f"block_{i}.esa", conv(state, f"block_{i}.c5", x + y))
    x = first + conv(state, "conv_2", x)
    return F.pixel_shuffle(conv(state, "upsampler.0", x), model.scale) / model.rgb_range


NETWORKS = {"rlfn": rlfn, "rlfn_s": rlfn}
