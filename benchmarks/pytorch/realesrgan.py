"""Real-ESRGAN's degradation in plain PyTorch operations, as its authors divide the work.

Each sample draws its kernels with NumPy, in the worker that loads it (`draw_kernels`); then a whole
batch is degraded at once (`degrade`): the directions, factors and modes of its resizes, the kinds
of its noise, the second blur and the last order are drawn once for all of its images. Where the
usual form is slow on a CPU a faster one stands for it, which gives the same: the sharpening's
51 x 51 Gaussian is a product with one matrix per axis, gray levels are counted rather than
sorted, and JPEG is Pillow's (so that qualities are whole numbers).
"""

import functools
import io
import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

_SIZE = 21
_KINDS = ("gaussian", "generalized", "plateau")


def draw_kernels(rng: np.random.Generator) -> Sequence[np.ndarray]:
    """The kernels of the two blurs and of the final sinc (or a delta), [21, 21] each."""
    final = np.zeros((_SIZE, _SIZE), np.float32)
    final[_SIZE // 2, _SIZE // 2] = 1
    if rng.random() < 0.8:
        final = _sinc(_size(rng), rng.uniform(math.pi / 3, math.pi))
    return _blur_kernel(rng, 3.0), _blur_kernel(rng, 1.5), final


def _blur_kernel(rng: np.random.Generator, largest: float) -> np.ndarray:
    size = _size(rng)
    if rng.random() < 0.1:
        return _sinc(size, rng.uniform(math.pi / (3 if size < 13 else 5), math.pi))
    kind = rng.choice(6, p=(0.45, 0.25, 0.12, 0.03, 0.12, 0.03))
    sigma_x = sigma_y = rng.uniform(0.2, largest)
    theta = 0.0
    if kind % 2:  # anisotropic
        sigma_y, theta = rng.uniform(0.2, largest), rng.uniform(-math.pi, math.pi)
    y, x = np.mgrid[:size, :size] - size // 2
    along = math.cos(theta) * x + math.sin(theta) * y
    across = math.cos(theta) * y - math.sin(theta) * x
    q = (along / sigma_x) ** 2 + (across / sigma_y) ** 2
    form = _KINDS[kind // 2]
    low, high = (0.5, 4.0) if form == "generalized" else (1.0, 2.0)
    beta = rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
    if form == "plateau":
        return _padded(1 / (1 + q**beta))
    return _padded(np.exp(-0.5 * q ** (beta if form == "generalized" else 1)))


def _sinc(size: int, omega: float) -> np.ndarray:
    from scipy.special import j1

    y, x = np.mgrid[:size, :size] - size // 2
    r = np.hypot(y, x)
    r[size // 2, size // 2] = 1
    kernel = omega * j1(omega * r) / (2 * math.pi * r)
    kernel[size // 2, size // 2] = omega**2 / (4 * math.pi)
    return _padded(kernel)


def _size(rng: np.random.Generator) -> int:
    return 7 + 2 * int(rng.integers(8))


def _padded(kernel: np.ndarray) -> np.ndarray:
    return np.pad(kernel / kernel.sum(), (_SIZE - len(kernel)) // 2).astype(np.float32)


def degrade(
    hr: torch.Tensor, first: torch.Tensor, second: torch.Tensor, final: torch.Tensor, scale: int = 4
) -> torch.Tensor:
    """LR [N, 3, H / scale, W / scale] of HR [N, 3, H, W] in [0, 1]; kernels are [N, 21, 21]."""
    lr = hr.shape[2] // scale, hr.shape[3] // scale
    x = filtered(sharpened(hr), first)
    x = _resized(x, _factor((0.2, 0.7, 0.1), 1.5, 0.15), None)
    x = _noisy(x, 30.0, 3.0)
    x = jpeg(x)
    if _random() < 0.8:
        x = filtered(x, second)
    x = _resized(x, _factor((0.3, 0.4, 0.3), 1.2, 0.3), lr)
    x = _noisy(x, 25.0, 2.5)
    if _random() < 0.5:
        return _whole_levels(jpeg(filtered(_to(x, lr), final)))
    return _whole_levels(filtered(_to(jpeg(x), lr), final))


def _whole_levels(x: torch.Tensor) -> torch.Tensor:
    return (x.clamp(0, 1) * 255).round() / 255


def pairs(
    hr: torch.Tensor, first: torch.Tensor, second: torch.Tensor, final: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """HR and LR of a batch and its kernels."""
    with torch.no_grad():
        return hr, degrade(hr, first, second, final)


def filtered(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlates every image with its own kernel, one group for each of its channels."""
    n, c, h, w = x.shape
    k = kernel.shape[-1]
    padded = F.pad(x, (k // 2,) * 4, mode="reflect").reshape(1, n * c, h + k - 1, w + k - 1)
    weight = kernel[:, None].expand(n, c, k, k).reshape(n * c, 1, k, k)
    return F.conv2d(padded, weight, groups=n * c).reshape(n, c, h, w)


def sharpened(x: torch.Tensor) -> torch.Tensor:
    """Unsharp mask of weight 0.5, 51 x 51 pixels (sigma 8), threshold 10 levels."""
    residual = x - _gaussian(x)
    soft = _gaussian((residual.abs() * 255 > 10).float())
    return soft * (x + 0.5 * residual).clamp(0, 1) + (1 - soft) * x


def _gaussian(x: torch.Tensor) -> torch.Tensor:
    rows, columns = (_gaussian_matrix(n) for n in x.shape[2:])
    return rows @ x @ columns.T


@functools.cache
def _gaussian_matrix(n: int) -> torch.Tensor:
    """[n, n]: a Gaussian of 51 taps and sigma 8 along an axis continued by reflection."""
    taps = np.exp(-0.5 * (np.arange(-25, 26) / 8.0) ** 2)
    matrix = np.zeros((n, n + 50), np.float32)
    for i in range(n):
        matrix[i, i : i + 51] = taps / taps.sum()
    mirror = np.zeros((n + 50, n), np.float32)
    mirror[np.arange(n + 50), np.pad(np.arange(n), 25, mode="reflect")] = 1
    return torch.from_numpy(matrix @ mirror)


def _factor(weights: Sequence[float], up: float, down: float) -> float:
    low, high = ((1.0, up), (down, 1.0), (1.0, 1.0))[
        int(torch.multinomial(torch.tensor(weights), 1))
    ]
    return low + (high - low) * _random()


def _resized(x: torch.Tensor, factor: float, of: tuple[int, int] | None) -> torch.Tensor:
    """By a factor of the picture, or to that of a size."""
    if of is None:
        return _interpolated(x, scale_factor=factor)
    return _to(x, (int(of[0] * factor), int(of[1] * factor)))


def _to(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return _interpolated(x, size=size)


def _interpolated(x: torch.Tensor, **how: object) -> torch.Tensor:
    mode = ("area", "bilinear", "bicubic")[int(torch.randint(3, ()))]
    return F.interpolate(x, mode=mode, **how)  # pyright: ignore[reportArgumentType]


def _noisy(x: torch.Tensor, sigma: float, scale: float) -> torch.Tensor:
    """Gaussian noise or Poisson noise on x, clipped; the strength is drawn for every image."""
    n = len(x)
    gray = (torch.rand(n, 1, 1, 1) < 0.4).float()
    if _random() < 0.5:
        level = (1 + (sigma - 1) * torch.rand(n, 1, 1, 1)) / 255
        noise = torch.randn_like(x)
        if gray.any():
            noise = gray * torch.randn(n, 1, *x.shape[2:]) + (1 - gray) * noise
        return (x + level * noise).clamp(0, 1)
    x = x.clamp(0, 1)
    noise = _shot_noise(x)
    if gray.any():
        luma = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
        noise = gray * _shot_noise(luma) + (1 - gray) * noise
    level = 0.05 + (scale - 0.05) * torch.rand(n, 1, 1, 1)
    return (x + level * noise).clamp(0, 1)


def _shot_noise(x: torch.Tensor) -> torch.Tensor:
    levels = (x * 255).round()
    counts = [np.count_nonzero(np.bincount(i.ravel())) for i in levels.byte().numpy()]
    values = torch.tensor([2.0 ** math.ceil(math.log2(count)) for count in counts])
    values = values.reshape(-1, 1, 1, 1)
    clean = levels / 255
    return torch.poisson(clean * values) / values - clean


def jpeg(x: torch.Tensor) -> torch.Tensor:
    """Each image compressed with a quality of 30 to 95 of its own."""
    pixels = (x.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    qualities = torch.randint(30, 96, (len(x),)).tolist()
    decoded = np.stack([_coded(*both) for both in zip(pixels, qualities, strict=True)])
    return torch.from_numpy(decoded).permute(0, 3, 1, 2).float() / 255


def _coded(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _random() -> float:
    return float(torch.rand(()))
