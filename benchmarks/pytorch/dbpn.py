"""D-DBPN under its authors' names, and EDSR-PyTorch's DDBPN under that toolbox's."""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, bicubic, conv, prelu


def dbpn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    stride = model.scale

    def down(name: str, x: torch.Tensor) -> torch.Tensor:
        return prelu(state, f"{name}.act", conv(state, f"{name}.conv", x, stride=stride, padding=2))

    def up(name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = state[f"{name}.deconv.weight"], state[f"{name}.deconv.bias"]
        y = F.conv_transpose2d(x, weight, bias, stride, padding=2)
        return prelu(state, f"{name}.act", y)

    def narrow(name: str, x: torch.Tensor) -> torch.Tensor:
        return prelu(state, f"{name}.act", conv(state, f"{name}.conv", x))

    def up_unit(i: int, x: torch.Tensor) -> torch.Tensor:
        x = narrow(f"up{i}.conv", x) if i > 2 else x
        high = up(f"up{i}.up_conv1", x)
        return high + up(f"up{i}.up_conv3", down(f"up{i}.up_conv2", high) - x)

    def down_unit(i: int, x: torch.Tensor) -> torch.Tensor:
        x = narrow(f"down{i}.conv", x) if i > 1 else x
        low = down(f"down{i}.down_conv1", x)
        return low + down(f"down{i}.down_conv3", up(f"down{i}.down_conv2", low) - x)

    features = narrow("feat1", narrow("feat0", x))
    highs = up_unit(1, features)
    lows = down_unit(1, highs)
    for i in range(2, model.stages + 1):
        highs = torch.cat((up_unit(i, lows), highs), 1)
        if i < model.stages:
            lows = torch.cat((down_unit(i, highs), lows), 1)
    y = conv(state, "output_conv.conv", highs)
    return y + bicubic(x, model.scale) if model.residual else y


def ddbpn(state: State, x: torch.Tensor, model: Any) -> torch.Tensor:
    def project(name: str, x: torch.Tensor, enlarge: bool) -> torch.Tensor:
        weight, bias = state[f"{name}.0.weight"], state[f"{name}.0.bias"]
        operation = F.conv_transpose2d if enlarge else F.conv2d
        return prelu(state, f"{name}.1", operation(x, weight, bias, model.scale, 2))

    def unit(name: str, x: torch.Tensor, enlarge: bool) -> torch.Tensor:
        if f"{name}.bottleneck.0.weight" in state:
            x = prelu(state, f"{name}.bottleneck.1", conv(state, f"{name}.bottleneck.0", x))
        first = project(f"{name}.conv_1", x, enlarge)
        error = project(f"{name}.conv_2", first, not enlarge) - x
        return first + project(f"{name}.conv_3", error, enlarge)

    x = conv(state, "sub_mean", 255 * x)
    x = prelu(state, "initial.1", conv(state, "initial.0", x))
    x = prelu(state, "initial.3", conv(state, "initial.2", x))
    highs = [unit("upmodules.0", x, True)]
    lows: list[torch.Tensor] = []
    for i in range(1, model.stages):
        lows.append(unit(f"downmodules.{i - 1}", torch.cat(highs, 1), False))
        highs.append(unit(f"upmodules.{i}", torch.cat(lows, 1), True))
    y = conv(state, "reconstruction.0", torch.cat(highs, 1))
    return conv(state, "add_mean", y) / 255


NETWORKS = {"dbpn": dbpn}
