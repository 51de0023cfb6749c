"""EnhanceNet under its layers' numbers."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, bicubic, conv


def _tf1_bicubic(x: torch.Tensor) -> torch.Tensor:
    """TensorFlow 1's x4: PyTorch's kernel (a = -0.75, too) where output pixel i lies at i / 4."""
    n, m = x.shape[2:]
    # align_corners puts the corners of (n - 1) intervals of 4 pixels on the input's corners; the
    # padding keeps the replicated edges out of the part that is used.
    padded = F.pad(x, (4, 4, 4, 4), "replicate")
    y = F.interpolate(
        padded, size=(4 * (n + 7) + 1, 4 * (m + 7) + 1), mode="bicubic", align_corners=True
    )
    return y[:, :, 16 : 16 + 4 * n, 16 : 16 + 4 * m]


def enhancenet(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    base = _tf1_bicubic(x) if model.skip == "tf1" else bicubic(x, 4)
    layers = iter(range(2 * model.blocks + 5))

    def following(x: torch.Tensor) -> torch.Tensor:
        i = next(layers)
        return conv(state, f"Conv_{i}" if i else "Conv", x)

    mean = torch.tensor([0.47614917, 0.45001204, 0.40904046]).reshape(1, 3, 1, 1)
    x = F.relu(following(x - mean))
    for _ in range(model.blocks):
        x = x + following(F.relu(following(x)))
    for _ in range(2):
        x = F.relu(following(F.interpolate(x, scale_factor=2, mode="nearest")))
    return base + following(F.relu(following(x)))


NETWORKS = {"enhancenet": enhancenet}
