"""DRCN."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, bicubic, conv


def drcn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = bicubic(x, model.scale)
    h = F.relu(conv(state, "embedding.2", F.relu(conv(state, "embedding.0", x))))
    y = torch.zeros_like(x)
    for weight in state["weights"]:
        h = F.relu(conv(state, "recursion.0", h))
        residual = conv(state, "reconstruction.2", F.relu(conv(state, "reconstruction.0", h)))
        y = y + weight * (x + residual)
    return y


NETWORKS = {"drcn": drcn}
