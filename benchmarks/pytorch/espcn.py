"""ESPCN under yjn870's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def espcn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    centre = 0.5 if model.centred else 0.0
    x = torch.tanh(conv(state, "first_part.0", x - centre))
    x = torch.tanh(conv(state, "first_part.2", x))
    x = F.pixel_shuffle(conv(state, "last_part.0", x), model.scale)
    return (torch.sigmoid(x) if model.sigmoid else x) + centre


NETWORKS = {"espcn": espcn}
