"""ESRGAN under BasicSR's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def _dense(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    x1 = F.leaky_relu(conv(state, f"{name}.conv1", x), 0.2)
    x2 = F.leaky_relu(conv(state, f"{name}.conv2", torch.cat([x, x1], 1)), 0.2)
    plus = f"{name}.conv1x1.weight" in state
    if plus:
        x2 = x2 + conv(state, f"{name}.conv1x1", x)
    x3 = F.leaky_relu(conv(state, f"{name}.conv3", torch.cat([x, x1, x2], 1)), 0.2)
    x4 = F.leaky_relu(conv(state, f"{name}.conv4", torch.cat([x, x1, x2, x3], 1)), 0.2)
    if plus:
        x4 = x4 + x2
    return x + 0.2 * conv(state, f"{name}.conv5", torch.cat([x, x1, x2, x3, x4], 1))


def esrgan(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    height, width = (n * model.scale for n in x.shape[2:])
    if model.unshuffle > 1:
        below, right = (-n % model.unshuffle for n in x.shape[2:])
        x = F.pixel_unshuffle(F.pad(x, (0, right, 0, below), "reflect"), model.unshuffle)
    x = head = conv(state, "conv_first", x)
    for i in range(model.blocks):
        y = x
        for j in (1, 2, 3):
            y = _dense(state, f"body.{i}.rdb{j}", y)
        x = x + 0.2 * y
    x = head + conv(state, "conv_body", x)
    body = model.scale * model.unshuffle
    factors = [3] if body == 3 else [2] * (body.bit_length() - 1)
    for i, factor in enumerate(factors, 1):
        x = F.interpolate(x, scale_factor=factor, mode="nearest")
        x = F.leaky_relu(conv(state, f"conv_up{i}", x), 0.2)
    x = conv(state, "conv_last", F.leaky_relu(conv(state, "conv_hr", x), 0.2))
    return x[:, :, :height, :width]


NETWORKS = {"esrgan": esrgan}
