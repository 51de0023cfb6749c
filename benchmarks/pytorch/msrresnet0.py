"""MSRResNet0 under KAIR's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def msrresnet0(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = y = conv(state, "model.0", x)
    for i in range(model.blocks):
        inner = F.relu(conv(state, f"model.1.sub.{i}.res.0", y))
        y = y + conv(state, f"model.1.sub.{i}.res.2", inner)
    x = x + conv(state, f"model.1.sub.{model.blocks}", y)
    last = 1  # place in the sequence: enlargement, convolution, ReLU
    for factor in {2: [2], 3: [3], 4: [2, 2], 8: [2, 2, 2]}[model.scale]:
        x = F.interpolate(x, scale_factor=factor, mode="nearest")
        x = F.relu(conv(state, f"model.{last + 2}", x))
        last += 3
    x = F.relu(conv(state, f"model.{last + 1}", x))
    return conv(state, f"model.{last + 3}", x)


NETWORKS = {"msrresnet0": msrresnet0}
