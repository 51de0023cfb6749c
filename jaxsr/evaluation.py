"""Scoring a model on whole images under a protocol: what `eval.py` and validation share."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsr.degradations import Degradation
from jaxsr.errors import InputError
from jaxsr.image.colour import to_float, to_uint8
from jaxsr.metrics.protocol import Protocol, crop_to_multiple
from jaxsr.models.apply import enlarge


@dataclass(frozen=True)
class TestImage:
    """HR, uint8 [H, W, 1 or 3] cropped to a multiple of the scale, and LR where a file gives it."""

    name: str
    hr: np.ndarray
    lr: np.ndarray | None = None


@dataclass(frozen=True)
class Score:
    """One image's numbers, and LR and the result as uint8 [H, W, C] (C = 1 on luma)."""

    name: str
    psnr: float
    ssim: float
    lr: np.ndarray
    sr: np.ndarray


def read_test_set(folder: str | Path, scale: int, protocol: Protocol) -> list[TestImage]:
    """The images of `folder`/HR (or of `folder` itself) for one scale.

    Protocols that see RGB take the files of `folder`/LR_xN where there are any (for baby.png
    baby.* or babyxN.*, any extension); otherwise LR is made when scoring.

    Raises:
      InputError: for a missing or empty folder, a broken or too small image, an LR file that is
        missing, ambiguous or of the wrong size; by name.
    """
    from jaxsr.data.source import image_files, to_8bit
    from jaxsr.image.io import find_images, read_image

    folder = Path(folder)
    files = image_files(folder)
    lr_folder = folder / f"LR_x{scale}"
    lr_files = None
    if lr_folder.is_dir() and not protocol.on_luma:
        lr_files = {}
        for file in find_images(lr_folder):
            lr_files.setdefault(file.stem, []).append(file)
    images = []
    for path in files:
        hr = crop_hr(to_8bit(read_image(path).pixels), scale, str(path))
        lr = None
        if lr_files is not None:
            stems = (path.stem, f"{path.stem}x{scale}")
            found = lr_files.get(stems[0]) or lr_files.get(stems[1], [])
            if not found:
                raise InputError(
                    f"{lr_folder}: no LR file for {path.name}, neither {stems[0]}.* nor "
                    f"{stems[1]}.*; add it, or take the folder away to have LR made"
                )
            if len(found) > 1:
                names = " and ".join(file.name for file in found)
                raise InputError(f"{lr_folder}: {names} are both LR of {path.name}; keep one")
            lr = to_8bit(read_image(found[0]).pixels)
            expected = (hr.shape[0] // scale, hr.shape[1] // scale, hr.shape[2])
            if lr.shape != expected:
                raise InputError(
                    f"{found[0]}: is {_size(lr)}, but HR {path.name} at x{scale} "
                    f"needs {_size(np.empty(expected))}"
                )
        images.append(TestImage(path.name, hr, lr))
    return images


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]} with {image.shape[2]} channel(s)"


def crop_hr(hr: np.ndarray, scale: int, name: str) -> np.ndarray:
    """HR cropped to a multiple of the scale; refuses, by name, one too small for SSIM's window."""
    least = (11 + 3 * scale - 1) // scale * scale  # 11 pixels, and the shave of `scale` a side
    if min(hr.shape[:2]) < least:
        raise InputError(
            f"{name}: {hr.shape[1]}x{hr.shape[0]} pixels are too few to score at x{scale}; "
            f"it needs {least} a side"
        )
    return crop_to_multiple(hr, scale)


Scorer = Callable[[Any, TestImage], Score]


def make_scorer(model: Any, protocol: Protocol, degrade: Degradation) -> Scorer:
    """Builds `score(variables, image) -> Score`; compiled once per image shape.

    Raises:
      InputError: if the model takes RGB and the protocol gives luma.
    """
    if model.colour == "rgb" and protocol.on_luma:
        raise InputError(f"protocol {protocol.name} feeds luma, but the model takes RGB; use rgb")

    def run(variables: Any, lr: jax.Array, hr: jax.Array) -> tuple[jax.Array, ...]:
        # Accelerators would convolve in TF32 or bfloat16, and score otherwise than a CPU.
        with jax.default_matmul_precision("highest"):
            sr = enlarge(model, variables, lr)
        psnr, ssim = protocol.score(sr, hr, model.scale)
        return psnr[0], ssim[0], to_uint8(lr[0]), to_uint8(sr[0])

    from_hr = jax.jit(lambda variables, hr: run(variables, *protocol.pair(degrade, _key(), hr)))
    from_lr = jax.jit(lambda variables, lr, hr: run(variables, to_float(lr), to_float(hr)))

    def score(variables: Any, image: TestImage) -> Score:
        if image.lr is None:
            result = from_hr(variables, image.hr[None])
        else:
            result = from_lr(variables, image.lr[None], image.hr[None])
        psnr, ssim, lr, sr = jax.device_get(result)
        return Score(image.name, float(psnr), float(ssim), lr, sr)

    return score


def _key() -> jax.Array:
    return jax.random.key(0)


@dataclass(frozen=True)
class SetResult:
    """The means over a set, as the literature averages them: per image, then over images."""

    psnr: float
    ssim: float
    seconds: float
    images: tuple[Score, ...]


def evaluate(
    score: Scorer,
    variables: Any,
    images: Sequence[TestImage],
    watch: Callable[[Sequence[TestImage]], Any] = lambda images: images,
) -> SetResult:
    """Scores every image; `watch` may wrap the sequence in a progress bar."""
    start = time.perf_counter()
    scores = tuple(score(variables, image) for image in watch(images))
    return SetResult(
        psnr=float(np.mean([s.psnr for s in scores])),
        ssim=float(np.mean([s.ssim for s in scores])),
        seconds=time.perf_counter() - start,
        images=scores,
    )
