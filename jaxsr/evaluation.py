"""Scoring a model on whole images under a protocol: what `eval.py` and validation share."""

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsr.degradations import Degradation, get_degradation
from jaxsr.degradations.keys import image_key
from jaxsr.errors import InputError
from jaxsr.image.colour import luma, to_float, to_uint8
from jaxsr.metrics.protocol import Protocol, crop_to_multiple
from jaxsr.metrics.registry import Asked, Measure
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


def read_test_set(
    path: str | Path, scale: int, protocol: Protocol, degradation: Any = "bicubic"
) -> list[TestImage]:
    """The images of a test set for one scale.

    Protocols that see RGB take the LR files that belong to it, where there are any (for baby.png
    in HR/ baby.* or babyxN.* in LR_xN/, and the other layouts of docs/datasets.md); otherwise LR
    is made when scoring, and always for a degradation other than "bicubic" and "given". Of known
    sets and datasets with several splits, "validation" is taken.

    Raises:
      InputError: for a missing or empty folder, a broken or too small image, an LR file that is
        missing, ambiguous or of the wrong size; by name; for LR that is "given" and not there.
    """
    from jaxsr.data.images import to_8bit
    from jaxsr.data.locate import locate_pairs
    from jaxsr.data.records import find_dataset, read_test_records
    from jaxsr.data.source import tfds_name
    from jaxsr.image.io import read_image

    if tfds_name(path):
        raise InputError(f"{path}: tfds' own datasets are for training; give a folder to score on")
    if degradation == "given" and protocol.on_luma:
        raise InputError(f"protocol {protocol.name} makes LR of HR; to score on LR files use rgb")
    with_lr = not protocol.on_luma and degradation in ("bicubic", "given")
    dataset = find_dataset(Path(path))
    if dataset is not None:
        stored = read_test_records(dataset, with_lr=with_lr)
        images = []
        for name, hr, lr in stored:
            hr = crop_hr(hr, scale, name)
            images.append(TestImage(name, hr, _fitting(lr, f"LR of {name}", hr, name, scale)))
        if degradation == "given" and any(image.lr is None for image in images):
            raise _no_lr(path, scale)
        return images
    located = locate_pairs(path, scale, "validation")
    if degradation == "given" and located.lr is None:
        raise _no_lr(path, scale)
    given = with_lr and located.lr is not None
    images = []
    for file, found in zip(located.hr, located.lr or [[]] * len(located.hr), strict=True):
        hr = crop_hr(to_8bit(read_image(file).pixels), scale, str(file))
        lr = None
        if given:
            lr_file = _only(found, file, located.lr_folder, scale)
            lr = _fitting(to_8bit(read_image(lr_file).pixels), str(lr_file), hr, file.name, scale)
        images.append(TestImage(file.name, hr, lr))
    return images


def _no_lr(path: str | Path, scale: int) -> InputError:
    return InputError(
        f"{path}: no LR files for x{scale}, and the degradation is 'given' by them; give HR with "
        "LR (docs/datasets.md), or score under another degradation"
    )


def _only(found: Sequence[Path], hr: Path, folder: Path | None, scale: int) -> Path:
    """The one LR file of an HR file."""
    if not found:
        raise InputError(
            f"{folder}: no LR file for {hr.name}, neither {hr.stem}.* nor "
            f"{hr.stem}x{scale}.*; add it, or take the folder away to have LR made"
        )
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise InputError(f"{folder}: {names} are both LR of {hr.name}; keep one")
    return found[0]


def _fitting(
    lr: np.ndarray | None, name: str, hr: np.ndarray, hr_name: str, scale: int
) -> np.ndarray | None:
    """LR, if it is of the size that the cropped HR needs."""
    expected = (hr.shape[0] // scale, hr.shape[1] // scale, hr.shape[2])
    if lr is not None and lr.shape != expected:
        raise InputError(
            f"{name}: is {_size(lr)}, but HR {hr_name} at x{scale} needs "
            f"{_size(np.empty(expected))}"
        )
    return lr


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


def degradation_of(spec: Any, scale: int) -> Degradation | None:
    """The degradation of a config's field; None for "given", where files hold LR."""
    return None if spec == "given" else get_degradation(spec, scale)


def make_scorer(model: Any, protocol: Protocol, degrade: Degradation | None) -> Scorer:
    """Builds `score(variables, image) -> Score`; compiled once per image shape.

    An image without an LR file is degraded with the key that `jaxsr degrade --seed 0` takes for
    a file of its name, so that the numbers can be had again from files.

    Args:
      degrade: None where every image must have an LR file.

    Raises:
      InputError: if the model takes RGB and the protocol gives luma.
    """
    if model.colour == "rgb" and protocol.on_luma:
        raise InputError(f"protocol {protocol.name} feeds luma, but the model takes RGB; use rgb")

    def run(variables: Any, lr: jax.Array, hr: jax.Array) -> tuple[jax.Array, ...]:
        lr, hr = to_float(lr), to_float(hr)
        # Accelerators would convolve in TF32 or bfloat16, and score otherwise than a CPU.
        with jax.default_matmul_precision("highest"):
            sr = enlarge(model, variables, lr)
        psnr, ssim = protocol.score(sr, hr, model.scale)
        return psnr[0], ssim[0], to_uint8(lr[0]), to_uint8(sr[0])

    program = jax.jit(run)

    def score(variables: Any, image: TestImage) -> Score:
        if image.lr is None and degrade is None:
            raise InputError(f"{image.name}: no LR file, and the degradation is 'given' by files")
        if image.lr is None:
            pair = _pair(protocol, degrade, image_key(0, image.name), image.hr[None])
        else:
            pair = image.lr[None], image.hr[None]
        result = program(variables, *pair)
        psnr, ssim, lr, sr = jax.device_get(result)
        return Score(image.name, float(psnr), float(ssim), lr, sr)

    return score


# A program of its own: it may take long to compile, and all networks that are scored share it.
@functools.partial(jax.jit, static_argnums=(0, 1))
def _pair(
    protocol: Protocol, degrade: Degradation, key: jax.Array, hr: jax.Array
) -> tuple[jax.Array, jax.Array]:
    return protocol.pair(degrade, key[None], hr)


def refuse_small(measures: Iterable[Measure], images: Sequence[TestImage], scale: int) -> None:
    """InputError naming the first image that is too small for one of the measures."""
    for image in images:
        for measure in measures:
            measure.refuse_small(image.name, image.hr.shape, scale)


def truth(protocol: Protocol, image: TestImage) -> np.ndarray:
    """HR as the protocol compares with it, uint8 [H, W, C]."""
    return np.asarray(to_uint8(luma(to_float(image.hr)))) if protocol.on_luma else image.hr


def measured(
    asked: Mapping[str, Asked], protocol: Protocol, image: TestImage, score: Score
) -> dict[str, float]:
    """Every measure of one image, by its name.

    Args:
      asked: by the names of `jaxsr.metrics.registry`; PSNR and SSIM are the score's own.
      score: of the image.
    """
    hr = truth(protocol, image)

    def value(name: str) -> float:
        if name in ("psnr", "ssim"):
            return getattr(score, name)
        return float(asked[name](score.sr[None], hr[None], score.lr[None])[0])

    return {name: value(name) for name in asked}


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
