"""SRResNet and SRGAN's generator under Lornatang's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, batch_norm, conv, prelu


def srresnet(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = head = prelu(state, "conv1.1", conv(state, "conv1.0", x))
    for i in range(model.blocks):
        block = f"trunk.{i}.rcb"
        y = batch_norm(state, f"{block}.1", conv(state, f"{block}.0", x))
        y = conv(state, f"{block}.3", prelu(state, f"{block}.2", y))
        x = x + batch_norm(state, f"{block}.4", y)
    x = head + batch_norm(state, "conv2.1", conv(state, "conv2.0", x))
    factors = [3] if model.scale == 3 else [2] * (model.scale.bit_length() - 1)
    for i, factor in enumerate(factors):
        block = f"upsampling.{i}.upsample_block"
        x = F.pixel_shuffle(conv(state, f"{block}.0", x), factor)
        x = prelu(state, f"{block}.2", x)
    x = conv(state, "conv3", x)
    if model.output == "unit":
        return x
    if model.output == "tanh":
        x = torch.tanh(x)
    return 0.5 * x + 0.5


NETWORKS = {"srresnet": srresnet, "srgan": srresnet}
