"""SRVGGNetCompact under Real-ESRGAN's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, prelu


def srvgg(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    y = x
    for i in range(0, 2 * model.layers + 2, 2):
        y = conv(state, f"body.{i}", y)
        if model.activation == "prelu":
            y = prelu(state, f"body.{i + 1}", y)
        else:
            y = F.leaky_relu(y, 0.1 if model.activation == "leaky_relu" else 0.0)
    y = F.pixel_shuffle(conv(state, f"body.{2 * model.layers + 2}", y), model.scale)
    return y + F.interpolate(x, scale_factor=model.scale) if model.residual else y


NETWORKS = {"srvgg": srvgg}
