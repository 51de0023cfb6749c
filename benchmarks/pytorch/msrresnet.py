"""MSRResNet under BasicSR's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def msrresnet(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    base = F.interpolate(x, scale_factor=model.scale, mode="bilinear", align_corners=False)
    x = F.leaky_relu(conv(state, "conv_first", x), 0.1)
    for i in range(model.blocks):
        y = F.relu(conv(state, f"body.{i}.conv1", x))
        x = x + conv(state, f"body.{i}.conv2", y)
    x = conv(state, "upconv1", x)
    if model.scale == 4:
        x = F.leaky_relu(F.pixel_shuffle(x, 2), 0.1)
        x = F.leaky_relu(F.pixel_shuffle(conv(state, "upconv2", x), 2), 0.1)
    else:
        x = F.leaky_relu(F.pixel_shuffle(x, model.scale), 0.1)
    return base + conv(state, "conv_last", F.leaky_relu(conv(state, "conv_hr", x), 0.1))


NETWORKS = {"msrresnet": msrresnet}
