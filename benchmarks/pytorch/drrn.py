"""DRRN under DRRN-pytorch's names, with batch norm where the state dict has it."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, batch_norm, bicubic, conv


def drrn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    def activate(name: str, t: torch.Tensor) -> torch.Tensor:
        return F.relu(batch_norm(state, name, t) if f"{name}.weight" in state else t)

    in_place = "bn_input.weight" not in state
    x = bicubic(x, model.scale)
    if in_place:
        x = F.relu(x)
    c = conv(state, "input", activate("bn_input", x))
    if in_place:
        c = F.relu(c)
    h = c
    for u in range(model.units):
        t = conv(state, "conv1", activate(f"bn1.{u}", h))
        h = c + conv(state, "conv2", activate(f"bn2.{u}", t))
    return x + conv(state, "output", activate("bn_output", h))


NETWORKS = {"drrn": drrn, "drrn_b1u9": drrn}
