"""Shorthands for the layers of a state dict."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F

from jaxsr.image.resize import resize_matrix

State = dict[str, torch.Tensor]


def conv(
    state: State,
    name: str,
    x: torch.Tensor,
    *,
    stride: int = 1,
    groups: int = 1,
    padding: int | None = None,
) -> torch.Tensor:
    """The convolution `name`, with zero "same" padding unless told otherwise."""
    weight = state[f"{name}.weight"]
    if padding is None:
        padding = weight.shape[-1] // 2
    return F.conv2d(x, weight, state.get(f"{name}.bias"), stride, padding, groups=groups)


def prelu(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.prelu(x, state[f"{name}.weight"])


_training = False


@contextlib.contextmanager
def training() -> Iterator[None]:
    """Within it batch normalisation goes by the batch and updates the running statistics."""
    global _training
    _training = True
    try:
        yield
    finally:
        _training = False


def batch_norm(state: State, name: str, x: torch.Tensor, *, eps: float = 1e-5) -> torch.Tensor:
    """Batch normalisation by the running statistics, or, in training, by the batch."""
    return F.batch_norm(
        x,
        state[f"{name}.running_mean"],
        state[f"{name}.running_var"],
        state[f"{name}.weight"],
        state[f"{name}.bias"],
        training=_training,
        eps=eps,
    )


def upsampler(state: State, names: list[str], x: torch.Tensor) -> torch.Tensor:
    """EDSR's: each convolution in `names`, then a pixel shuffle by what its channels tell."""
    for name in names:
        channels = x.shape[1]
        x = conv(state, name, x)
        x = F.pixel_shuffle(x, round((x.shape[1] / channels) ** 0.5))
    return x


def bicubic(x: torch.Tensor, scale: int) -> torch.Tensor:
    """MATLAB's bicubic enlargement, as a matrix along each axis."""
    rows, columns = (
        torch.from_numpy(resize_matrix(n, n * scale, scale, "bicubic", True, "symmetric"))
        for n in x.shape[2:]
    )
    return torch.einsum("oh,nchw,pw->ncop", rows.to(x.dtype), x, columns.to(x.dtype))


def enlarged(x: torch.Tensor, model: Any) -> torch.Tensor:
    """What stands in front of a network in HR space: MATLAB's bicubic or PyTorch's."""
    if model.pytorch_bicubic:
        return F.interpolate(x, scale_factor=model.scale, mode="bicubic", align_corners=False)
    return bicubic(x, model.scale)
