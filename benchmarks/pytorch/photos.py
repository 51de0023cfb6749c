"""Data sets of PNG files for PyTorch's `DataLoader`, as the toolboxes write them.

Every sample decodes a file, crops it at random, turns the crop into one of its eight flips and
quarter turns, and makes or reads what belongs to it. Tensors are float32 [C, H, W] in [0, 1].
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, default_collate

from benchmarks.pytorch.imresize import imresize
from benchmarks.pytorch.realesrgan import draw_kernels

Sample = tuple[torch.Tensor, ...]


class Crops(Dataset):
    """One crop of each of the files, which are repeated so that an epoch does not end.

    Args:
      files: PNG files.
      patch: side of a crop.
      partner: what makes the other members of a sample of a float32 [H, W, C] crop.
    """

    def __init__(
        self,
        files: Sequence[Path],
        patch: int,
        partner: Callable[[np.ndarray], Sequence[np.ndarray]],
    ) -> None:
        self.files, self.patch, self.partner = list(files), patch, partner

    def __len__(self) -> int:
        return 1 << 20

    def __getitem__(self, index: int) -> Sample:
        image = decode(self.files[index % len(self.files)])
        top, left = (int(torch.randint(n - self.patch + 1, ())) for n in image.shape[:2])
        hr = image[top : top + self.patch, left : left + self.patch]
        hr = turned(hr, int(torch.randint(8, ()))).astype(np.float32) / 255
        return tensor(hr), *(tensor(x) for x in self.partner(hr))


class PairCrops(Dataset):
    """As `Crops`, LR from files of the same names in another folder."""

    def __init__(self, files: Sequence[Path], lr_folder: Path, patch: int, scale: int) -> None:
        self.files, self.lr_folder, self.patch, self.scale = list(files), lr_folder, patch, scale

    def __len__(self) -> int:
        return 1 << 20

    def __getitem__(self, index: int) -> Sample:
        file = self.files[index % len(self.files)]
        hr, lr = decode(file), decode(self.lr_folder / file.name)
        small, s = self.patch // self.scale, self.scale
        top, left = (int(torch.randint(n - small + 1, ())) for n in lr.shape[:2])
        hr = hr[s * top : s * (top + small), s * left : s * (left + small)]
        lr = lr[top : top + small, left : left + small]
        turn = int(torch.randint(8, ()))
        return tuple(tensor(turned(x, turn).astype(np.float32) / 255) for x in (hr, lr))


def bicubic_lr(hr: np.ndarray) -> tuple[np.ndarray]:
    """LR, a quarter of the size, at 8-bit levels."""
    return (np.round(np.clip(imresize(hr, 1 / 4), 0, 1) * 255) / 255,)


def lr_pixels(hr: np.ndarray) -> np.ndarray:
    """The same of uint8 [H, W, C], uint8."""
    return np.round(bicubic_lr(hr.astype(np.float32) / 255)[0] * 255).astype(np.uint8)


def tiles(images: Sequence[np.ndarray], side: int) -> dict[str, np.ndarray]:
    """The images cut into tiles that lie side by side, by name; what is over is left out."""
    return {
        f"{i:04}_{top:04}_{left:04}": image[top : top + side, left : left + side]
        for i, image in enumerate(images)
        for top in range(0, image.shape[0] - side + 1, side)
        for left in range(0, image.shape[1] - side + 1, side)
    }


def write(folder: Path, images: Mapping[str, np.ndarray]) -> None:
    """Writes PNG files into a new folder."""
    folder.mkdir()
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")


def kernels(hr: np.ndarray) -> Sequence[np.ndarray]:
    """The three blur kernels of Real-ESRGAN for one sample."""
    del hr
    return draw_kernels(np.random.default_rng(int(torch.randint(1 << 62, ()))))


def decode(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    image = image[:: -1 if turn & 1 else 1, :: -1 if turn & 2 else 1]
    return image.swapaxes(0, 1) if turn & 4 else image


def tensor(x: np.ndarray) -> torch.Tensor:
    x = x.transpose(2, 0, 1) if x.ndim == 3 else x
    return torch.from_numpy(np.ascontiguousarray(x, np.float32))


def loader(samples: Dataset, batch: int, workers: int, finish: Callable[..., Any] | None) -> Any:
    """Shuffled batches, made by worker processes and finished there, too."""

    def collate(members: list[Sample]) -> Any:
        stacked = default_collate(members)
        return stacked if finish is None else finish(*stacked)

    return DataLoader(
        samples, batch, shuffle=True, num_workers=workers, drop_last=True, collate_fn=collate
    )
