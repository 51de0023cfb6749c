"""Reading and measuring the pictures of a comparison, one image at a time."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from jaxsr.data.images import to_8bit, to_rgb8
from jaxsr.errors import InputError
from jaxsr.evaluation import crop_hr
from jaxsr.image.io import read_image
from jaxsr.metrics.protocol import crop_to_multiple, get_protocol
from jaxsr.report.columns import Column

PROTOCOL = get_protocol("rgb")


@dataclass(frozen=True)
class Measured:
    """One image: its pictures and their numbers, in the order of the columns.

    Attributes:
      pictures: uint8 [H, W, 3], or all [H, W, 1]; LR is smaller.
      scores: (PSNR-Y in dB, SSIM-Y) of each result; None for LR and HR, and without HR.
    """

    name: str
    pictures: tuple[np.ndarray, ...]
    scores: tuple[tuple[float, float] | None, ...]


def measure(name: str, columns: Sequence[Column], i: int, scale: int) -> Measured:
    """Image i: read, cropped at the right and at the bottom to a multiple of the scale, measured.

    PSNR and SSIM as protocol `rgb` has them (`jaxsr.metrics.protocol`): studio-range luma, not
    rounded, a border of `scale` pixels shaved. Of an image whose pictures are all gray, the gray
    values; if only some are, these are repeated to RGB. Alpha is dropped.

    Raises:
      InputError: for pictures that cannot be read or differ in size, or are too small for SSIM.
    """
    files = [column.files[i] for column in columns]
    pictures = [to_8bit(read_image(file).pixels) for file in files]
    if any(x.shape[-1] == 3 for x in pictures):
        pictures = [to_rgb8(x) for x in pictures]
    results = [j for j, column in enumerate(columns) if column.part == "result"]
    for j, column in enumerate(columns):
        if column.part != "LR":
            crop = crop_hr if column.part == "HR" and results else _crop
            pictures[j] = crop(pictures[j], scale, str(files[j]))
    height, width = pictures[-1].shape[:2]
    for column, file, picture in zip(columns, files, pictures, strict=True):
        s = scale if column.part == "LR" else 1
        if picture.shape[:2] != (height // s, width // s):
            at = f" at x{scale}" if column.part == "LR" else ""
            raise InputError(
                f"{file}: is {picture.shape[1]}x{picture.shape[0]}, but {files[-1]}{at} needs "
                f"{width // s}x{height // s}"
            )
    scores: list[tuple[float, float] | None] = [None] * len(columns)
    if results and columns[-1].part == "HR":
        sr = np.stack([pictures[j] for j in results])
        hr = np.broadcast_to(pictures[-1], sr.shape)
        for j, psnr, ssim in zip(results, *_score(sr, hr, scale), strict=True):
            scores[j] = float(psnr), float(ssim)
    return Measured(name, tuple(pictures), tuple(scores))


def _crop(picture: np.ndarray, scale: int, name: str) -> np.ndarray:
    if min(picture.shape[:2]) < scale:
        raise InputError(f"{name}: less than one pixel of LR at x{scale}")
    return crop_to_multiple(picture, scale)


@functools.partial(jax.jit, static_argnums=2)
def _score(sr: jax.Array, hr: jax.Array, scale: int) -> tuple[jax.Array, jax.Array]:
    return PROTOCOL.score(sr, hr, scale)
