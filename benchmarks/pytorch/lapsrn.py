"""LapSRN under pytorch-LapSRN's names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv
from jaxsr.image.resize import resize_matrix


def lapsrn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    image, size = x, [side * model.scale for side in x.shape[2:]]
    features = F.leaky_relu(conv(state, "conv_input", x), 0.2)
    level = 1
    while image.shape[2] < size[0]:
        prefix = f"convt_F{level}.0.cov_block"
        for i in range(model.depth):
            features = F.leaky_relu(conv(state, f"{prefix}.{2 * i}", features), 0.2)
        up = f"{prefix}.{2 * model.depth}"
        weight = state[f"{up}.weight"]
        padding = 1 if weight.shape[-1] == 4 else 0
        features = F.conv_transpose2d(features, weight, state.get(f"{up}.bias"), 2, padding)
        features = F.leaky_relu(features[:, :, : 2 * image.shape[2], : 2 * image.shape[3]], 0.2)
        image = F.conv_transpose2d(image, state[f"convt_I{level}.weight"], None, 2, 1)
        image = image + conv(state, f"convt_R{level}", features)
        level += 1
    return image if list(image.shape[2:]) == size else reduce(image, size)


def reduce(x: torch.Tensor, size: list[int]) -> torch.Tensor:
    """MATLAB's bicubic reduction with antialiasing, as a matrix along each axis."""
    rows, columns = (
        torch.from_numpy(resize_matrix(n, m, m / n, "bicubic", True, "symmetric"))
        for n, m in zip(x.shape[2:], size, strict=True)
    )
    return torch.einsum("oh,nchw,pw->ncop", rows.to(x.dtype), x, columns.to(x.dtype))


NETWORKS = {"lapsrn": lapsrn}
