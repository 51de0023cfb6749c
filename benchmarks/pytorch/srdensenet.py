"""SRDenseNet under yjn870's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def srdensenet(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = F.relu(conv(state, "conv.conv", x))
    for i in range(model.blocks):
        layer = f"dense_blocks.{i}.block"
        outputs = [F.relu(conv(state, f"{layer}.0.conv", x))]
        for j in range(1, model.layers):
            outputs.append(F.relu(conv(state, f"{layer}.{j}.conv", torch.cat(outputs, 1))))
        x = torch.cat([x, *outputs], 1)
    x = F.relu(conv(state, "bottleneck.0", x))
    for i in range(model.scale.bit_length() - 1):
        weight, bias = state[f"deconv.{2 * i}.weight"], state[f"deconv.{2 * i}.bias"]
        x = F.relu(F.conv_transpose2d(x, weight, bias, 2, padding=1, output_padding=1))
    return conv(state, "reconstruction", x)


NETWORKS = {"srdensenet": srdensenet}
