"""MemNet under the authors' names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, batch_norm, bicubic, conv


def memnet(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    def layer(name: str, t: torch.Tensor, norm: str | None = None) -> torch.Tensor:
        return conv(state, name, F.relu(batch_norm(state, norm or f"bn_{name}", t)))

    x = bicubic(x, model.scale)
    long_term = [layer("conv1", x)]
    images = []
    for m in range(1, model.blocks + 1):
        h, short_term = long_term[-1], []
        for r in range(1, model.recursions + 1):
            t = layer(f"conv{m:02d}_01_a", h, f"bn_conv{m:02d}_{r:02d}_a")
            h = h + layer(f"conv{m:02d}_01_b", t, f"bn_conv{m:02d}_{r:02d}_b")
            short_term.append(h)
        gated = layer(f"conv_transition_{m:02d}", torch.cat(long_term + short_term, 1))
        long_term.append(gated)
        images.append(x + layer("conv_end", gated, f"bn_conv_end_{m:02d}"))
    return torch.einsum("m,mnchw->nchw", state["weight_output_end"], torch.stack(images))


NETWORKS = {"memnet": memnet}
