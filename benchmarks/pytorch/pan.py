"""PAN under its authors' names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.2)


def _block(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    a = _leaky(conv(state, f"{name}.k1.0", _leaky(conv(state, f"{name}.conv1_a", x))))
    b = _leaky(conv(state, f"{name}.conv1_b", x))
    b = conv(state, f"{name}.PAConv.k3", b) * conv(state, f"{name}.PAConv.k2", b).sigmoid()
    b = _leaky(conv(state, f"{name}.PAConv.k4", b))
    return x + conv(state, f"{name}.conv3", torch.cat((a, b), 1))


def pan(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    y = first = conv(state, "conv_first", x)
    for i in range(model.blocks):
        y = _block(state, f"SCPA_trunk.{i}", y)
    y = first + conv(state, "trunk_conv", y)
    for i, factor in enumerate((2, 2) if model.scale == 4 else (model.scale,), 1):
        y = conv(state, f"upconv{i}", F.interpolate(y, scale_factor=factor, mode="nearest"))
        y = _leaky(y * conv(state, f"att{i}.conv", y).sigmoid())
        y = _leaky(conv(state, f"HRconv{i}", y))
    enlarged = F.interpolate(x, scale_factor=model.scale, mode="bilinear", align_corners=False)
    return conv(state, "conv_last", y) + enlarged


NETWORKS = {"pan": pan}
