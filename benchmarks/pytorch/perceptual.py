"""VGG, AlexNet and SqueezeNet of torchvision's state dicts; LPIPS and DISTS on them."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.pytorch.layers import State, conv
from jaxsr.vision import Params, Trunk

# As torchvision lists them: C a convolution of 3x3 pixels, F a fire module, R a ReLU, P a pooling.
PLANS = {
    "vgg16": "CRCRP CRCRP CRCRCRP CRCRCRP CRCRCRP".replace(" ", ""),
    "vgg19": "CRCRP CRCRP CRCRCRCRP CRCRCRCRP CRCRCRCRP".replace(" ", ""),
    "alexnet": "CRPCRPCRCRCRP",
    "squeezenet1_1": "CRPFFPFFPFFFF",
}
TAPS = {
    "vgg16": (3, 8, 15, 22, 29),
    "alexnet": (1, 4, 7, 9, 11),
    "squeezenet1_1": (1, 4, 7, 9, 10, 11, 12),
}
_ALEXNET = {0: (4, 2), 3: (1, 2)}  # stride and padding, else 1 and 1


def state_dict(trunk: Trunk, params: Params) -> State:
    """jaxsr's parameters under torchvision's names."""
    state = {}
    for key in trunk.shapes:
        layer, *inner, kind = key.split("/")
        place = ".".join(["features", str(trunk.layers.index(layer)), *inner])
        value = torch.tensor(np.array(params[key]))
        if kind == "kernel":
            state[f"{place}.weight"] = value.permute(3, 2, 0, 1).contiguous()
        else:
            state[f"{place}.bias"] = value
    return state


def features(
    name: str, state: State, x: torch.Tensor, *, l2_pool: bool = False
) -> list[torch.Tensor]:
    """The output of every layer for x, [N, 3, H, W] in [0, 1]."""
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    x = (x - mean) / std
    outputs = []
    for i, kind in enumerate(PLANS[name]):
        key = f"features.{i}"
        if kind == "R":
            x = F.relu(x)
        elif kind == "F":
            x = F.relu(conv(state, f"{key}.squeeze", x))
            ways = [conv(state, f"{key}.{way}", x) for way in ("expand1x1", "expand3x3")]
            x = F.relu(torch.cat(ways, 1))
        elif kind == "P" and l2_pool:
            window = torch.tensor([0.25, 0.5, 0.25])
            window = torch.outer(window, window).expand(x.shape[1], 1, 3, 3)
            x = (F.conv2d(x**2, window, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()
        elif kind == "P":
            x = F.max_pool2d(x, 2 if "vgg" in name else 3, 2, ceil_mode="squeeze" in name)
        else:
            stride, pad = (2, 0) if "squeeze" in name else (1, 1)
            if name == "alexnet":
                stride, pad = _ALEXNET.get(i, (1, 1))
            x = F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"], stride, pad)
        outputs.append(x)
    return outputs


def lpips(
    name: str, state: State, heads: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """[N]; `heads` are 1x1 convolutions, [1, C, 1, 1] each."""
    total = torch.zeros(x.shape[0])
    ours, theirs = features(name, state, x), features(name, state, y)
    for tap, head in zip(TAPS[name], heads, strict=True):
        a, b = (f[tap] / (f[tap].norm(dim=1, keepdim=True) + 1e-10) for f in (ours, theirs))
        total += F.conv2d((a - b) ** 2, head).mean((1, 2, 3))
    return total


def dists(
    state: State, alpha: torch.Tensor, beta: torch.Tensor, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """[N]; alpha and beta are [1475]."""
    ours = features("vgg16", state, x, l2_pool=True)
    theirs = features("vgg16", state, y, l2_pool=True)
    pairs = [(x, y), *((ours[tap], theirs[tap]) for tap in TAPS["vgg16"])]
    means, structures = [], []
    for a, b in pairs:
        ma, mb = a.mean((2, 3)), b.mean((2, 3))
        va, vb = a.var((2, 3), correction=0), b.var((2, 3), correction=0)
        covariance = (a * b).mean((2, 3)) - ma * mb
        means.append((2 * ma * mb + 1e-6) / (ma**2 + mb**2 + 1e-6))
        structures.append((2 * covariance + 1e-6) / (va + vb + 1e-6))
    total = alpha.sum() + beta.sum()
    return 1 - (torch.cat(means, 1) @ alpha + torch.cat(structures, 1) @ beta) / total
