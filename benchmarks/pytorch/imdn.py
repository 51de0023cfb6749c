"""IMDN under its authors' names, and the AIM 2019 variant under KAIR's."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.05)


def _distil(state: State, layers: Sequence[str], x: torch.Tensor) -> torch.Tensor:
    """The quarters that three of the layers keep, and all of the last."""
    parts = []
    for name in layers[:3]:
        y = _leaky(conv(state, name, x))
        quarter = y.shape[1] // 4
        parts.append(y[:, :quarter])
        x = y[:, quarter:]
    return torch.cat([*parts, conv(state, layers[3], x)], 1)


def imdn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    scale = model.scale
    if scale == 1:  # IMDN_AS
        x = _leaky(conv(state, "fea_conv.0", x, stride=2))
        x, scale = conv(state, "fea_conv.2", x, stride=2), 4
    else:
        x = conv(state, "fea_conv", x)
    first = x
    outputs = []
    for i in range(1, model.blocks + 1):
        y = _distil(state, [f"IMDB{i}.c{j}" for j in (1, 2, 3, 4)], x)
        statistics = y.mean((2, 3), keepdim=True) + y.std((2, 3), correction=0, keepdim=True)
        hidden = F.relu(conv(state, f"IMDB{i}.cca.conv_du.0", statistics))
        y = y * torch.sigmoid(conv(state, f"IMDB{i}.cca.conv_du.2", hidden))
        x = x + conv(state, f"IMDB{i}.c5", y)
        outputs.append(x)
    y = _leaky(conv(state, "c.0", torch.cat(outputs, 1)))
    y = first + conv(state, "LR_conv", y)
    return F.pixel_shuffle(conv(state, "upsampler.0", y), scale)


def aim2019(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = first = conv(state, "model.0", x)
    for i in range(model.blocks):
        name = f"model.1.sub.{i}"
        layers = [f"{name}.conv1.0", f"{name}.conv2.0", f"{name}.conv3.0", f"{name}.conv4"]
        x = x + conv(state, f"{name}.conv1x1", _distil(state, layers, x))
    x = first + conv(state, f"model.1.sub.{model.blocks}", x)
    return F.pixel_shuffle(conv(state, "model.2", x), model.scale)


NETWORKS = {"imdn": imdn}
