"""IDN under the authors' names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, bicubic, conv


def idn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    def layer(name: str, t: torch.Tensor, groups: int = 1) -> torch.Tensor:
        return F.leaky_relu(conv(state, name, t, groups=groups), 0.05)

    s, (h, w) = model.scale, x.shape[2:]
    image = bicubic(x, s)
    border = 1 if model.padding == "edge" else 0
    x = F.pad(x, [border] * 4, mode="replicate")
    x = layer("conv2", layer("conv1", x))
    for i in range(model.blocks):
        name = f"conv{i + 3}"
        y = layer(f"{name}_2", layer(f"{name}_1", x), groups=4)
        kept, y = layer(f"{name}_3", y).split([model.features // 4, 3 * model.features // 4], 1)
        y = layer(f"{name}_5", layer(f"{name}_4", y), groups=4)
        x = layer(f"down{i + 1}", layer(f"{name}_6", y) + torch.cat([x, kept], 1))
    # Uncropped; with padding 8, row 0 is HR row s - 1.
    x = F.conv_transpose2d(x, state["upsample.weight"], state["upsample.bias"], s)
    start = 8 - (s - 1) + s * border
    return image + x[:, :, start : start + s * h, start : start + s * w]


NETWORKS = {"idn": idn}
