"""RDN under EDSR-PyTorch's names, with its fixed mean-shift layers where the model has one."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv


def rdn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    x = model.rgb_range * x
    if model.mean_shift:
        x = conv(state, "sub_mean", x)
    first = conv(state, "SFENet1", x)
    x = conv(state, "SFENet2", first)
    blocks = []
    for i in range(model.blocks):
        dense = x
        for j in range(model.layers):
            y = F.relu(conv(state, f"RDBs.{i}.convs.{j}.conv.0", dense))
            dense = torch.cat([dense, y], 1)
        x = x + conv(state, f"RDBs.{i}.LFF", dense)
        blocks.append(x)
    x = first + conv(state, "GFF.1", conv(state, "GFF.0", torch.cat(blocks, 1)))
    factors = {2: [2], 3: [3], 4: [2, 2]}[model.scale]
    for i, factor in enumerate(factors):
        x = F.pixel_shuffle(conv(state, f"UPNet.{2 * i}", x), factor)
    x = conv(state, f"UPNet.{2 * len(factors)}", x)
    if model.mean_shift:
        x = conv(state, "add_mean", x)
    return x / model.rgb_range


NETWORKS = {"rdn": rdn, "rdn_a": rdn}
