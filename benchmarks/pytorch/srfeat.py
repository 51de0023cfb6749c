"""SRFeat in PyTorch's form."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, batch_norm, conv


def srfeat(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = conv(state, "head", 2 * x - 1)
    total = torch.zeros_like(x)
    for i in range(model.blocks):
        y = batch_norm(state, f"body.{i}.bn1", conv(state, f"body.{i}.conv1", x))
        y = conv(state, f"body.{i}.conv2", F.leaky_relu(y, 0.2))
        x = x + batch_norm(state, f"body.{i}.bn2", y)
        if i < model.blocks - 1:
            total = total + conv(state, f"taps.{i}", x)
    x = x + total
    for i in range(2):
        x = F.leaky_relu(F.pixel_shuffle(conv(state, f"upsample.{i}", x), 2), 0.2)
    return 0.5 * (conv(state, "tail", x) + 1)


NETWORKS = {"srfeat": srfeat}
