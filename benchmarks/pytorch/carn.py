"""CARN and CARN-M under their authors' names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def _residual(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    y = F.relu(conv(state, f"{name}.body.0", x))
    return F.relu(x + conv(state, f"{name}.body.2", y))


def _residual_e(state: State, name: str, x: torch.Tensor, groups: int) -> torch.Tensor:
    y = F.relu(conv(state, f"{name}.body.0", x, groups=groups))
    y = F.relu(conv(state, f"{name}.body.2", y, groups=groups))
    return F.relu(x + conv(state, f"{name}.body.4", y))


def _cascading_block(state: State, name: str, x: torch.Tensor, model: Any) -> torch.Tensor:
    cascade = x
    for j in (1, 2, 3):
        if model.mobile:
            y = _residual_e(state, f"{name}.b1", x, model.groups)
        else:
            y = _residual(state, f"{name}.b{j}", x)
        cascade = torch.cat([cascade, y], 1)
        x = F.relu(conv(state, f"{name}.c{j}.body.0", cascade))
    return x


def carn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = cascade = conv(state, "entry", conv(state, "sub_mean.shifter", x))
    for i in (1, 2, 3):
        cascade = torch.cat([cascade, _cascading_block(state, f"b{i}", x, model)], 1)
        x = F.relu(conv(state, f"c{i}.body.0", cascade))
    head = f"upsample.up{model.scale}" if len(model.scales) > 1 else "upsample.up"
    for i, factor in enumerate({2: [2], 3: [3], 4: [2, 2]}[model.scale]):
        x = F.relu(conv(state, f"{head}.body.{3 * i}", x, groups=model.groups))
        x = F.pixel_shuffle(x, factor)
    return conv(state, "add_mean.shifter", conv(state, "exit", x))


NETWORKS = {"carn": carn, "carn_m": carn}
