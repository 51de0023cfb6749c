"""SwinIR under its authors' names."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv, upsampler


def norm(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    """Layer normalisation over the channels of [N, H, W, C]."""
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def linear(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def convs(state: State, name: str, x: torch.Tensor, model: Any) -> torch.Tensor:
    """Of [N, C, H, W]: one convolution, or three with a bottleneck."""
    if model.convs == 1:
        return conv(state, name, x)
    x = F.leaky_relu(conv(state, f"{name}.0", x), 0.2)
    x = F.leaky_relu(conv(state, f"{name}.2", x), 0.2)
    return conv(state, f"{name}.4", x)


def windows(x: torch.Tensor, w: int) -> torch.Tensor:
    """[N, H, W, C] -> [N * windows, w * w, C]."""
    x = x.unfold(1, w, w).unfold(2, w, w)  # [N, rows, columns, C, w, w]
    return x.permute(0, 1, 2, 4, 5, 3).flatten(0, 2).flatten(1, 2)


def unwindows(x: torch.Tensor, w: int, height: int, width: int) -> torch.Tensor:
    x = x.view(-1, height // w, width // w, w * w, x.shape[-1])
    n, c = x.shape[0], x.shape[-1]
    x = x.permute(0, 4, 3, 1, 2).reshape(n, c * w * w, -1)
    return F.fold(x, (height, width), w, stride=w).permute(0, 2, 3, 1)


def attention(state: State, name: str, x: torch.Tensor, shift: int, model: Any) -> torch.Tensor:
    """Of [N, H, W, C]; regions that a shift brings together are told apart by their numbers."""
    n, height, width, c = x.shape
    w, heads = model.window, model.heads
    x = torch.roll(x, (-shift, -shift), (1, 2))
    tokens = windows(x, w)
    q, k, v = (
        part.unflatten(-1, (heads, c // heads)).transpose(1, 2)
        for part in linear(state, f"{name}.qkv", tokens).chunk(3, dim=-1)
    )
    offsets = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(w), indexing="ij"), -1)
    offsets = offsets.view(-1, 1, 2) - offsets.view(1, -1, 2) + w - 1
    bias = state[f"{name}.relative_position_bias_table"][
        offsets[..., 0] * (2 * w - 1) + offsets[..., 1]
    ].permute(2, 0, 1)
    if shift:
        region = torch.zeros(1, height, width, 1)
        bounds = ((0, -w), (-w, -shift), (-shift, None))
        for i, (top, bottom) in enumerate(bounds):
            for j, (left, right) in enumerate(bounds):
                region[:, top:bottom, left:right] = 3 * i + j
        numbers = windows(region, w)[..., 0]
        apart = numbers[:, :, None] != numbers[:, None, :]
        bias = bias - 100.0 * apart[:, None].repeat(n, 1, 1, 1).to(x.dtype)
    x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(len(q), -1, -1, -1))
    x = linear(state, f"{name}.proj", x.transpose(1, 2).flatten(2))
    return torch.roll(unwindows(x, w, height, width), (shift, shift), (1, 2))


def swin_layer(state: State, name: str, x: torch.Tensor, shift: int, model: Any) -> torch.Tensor:
    x = x + attention(state, f"{name}.attn", norm(state, f"{name}.norm1", x), shift, model)
    y = F.gelu(linear(state, f"{name}.mlp.fc1", norm(state, f"{name}.norm2", x)))
    return x + linear(state, f"{name}.mlp.fc2", y)


def reconstruct(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    steps = 1 if model.scale == 3 else model.scale.bit_length() - 1
    if model.reconstruction == "direct":
        return F.pixel_shuffle(conv(state, "upsample.0", x), model.scale)
    x = F.leaky_relu(conv(state, "conv_before_upsample.0", x))
    if model.reconstruction == "sub-pixel":
        x = upsampler(state, [f"upsample.{2 * i}" for i in range(steps)], x)
    else:
        for i in range(steps):
            x = F.interpolate(x, scale_factor=2)
            x = F.leaky_relu(conv(state, f"conv_up{i + 1}", x), 0.2)
        x = F.leaky_relu(conv(state, "conv_hr", x), 0.2)
    return conv(state, "conv_last", x)


def swinir(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    height, width = x.shape[2:]
    x = F.pad(x, (0, -width % model.window, 0, -height % model.window), "reflect")
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
    head = conv(state, "conv_first", model.rgb_range * (x - mean))
    x = norm(state, "patch_embed.norm", head.permute(0, 2, 3, 1))
    for i in range(model.blocks):
        y = x
        for j in range(model.layers):
            shift = model.window // 2 if j % 2 and model.size > model.window else 0
            y = swin_layer(state, f"layers.{i}.residual_group.blocks.{j}", y, shift, model)
        y = convs(state, f"layers.{i}.conv", y.permute(0, 3, 1, 2), model)
        x = x + y.permute(0, 2, 3, 1)
    x = norm(state, "norm", x).permute(0, 3, 1, 2)
    x = reconstruct(state, head + convs(state, "conv_after_body", x, model), model)
    x = x[:, :, : model.scale * height, : model.scale * width]
    return x / model.rgb_range + mean


NETWORKS = {"swinir_light": swinir, "swinir": swinir}
