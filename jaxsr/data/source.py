"""Where HR images come from: files, folders and datasets made by `jaxsr prepare`.

A source is random access to whole images: `len(source)`, `source[i]` -> uint8 [H, W, 3] RGB and
`source.names`. `open_source` makes one from paths; any object with these three members will do
in its place.
"""

import functools
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jaxsr.errors import InputError, nearest


class Source(Protocol):
    """Random access to HR images, safe to read from several threads.

    `source[i]` is uint8 [H, W, 3], `names[i]` what messages call it. A source may also have
    `fingerprint: str`, which changes whenever its images do: with it a decoded cache is found
    again by the next run.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Images:
    """The source that `open_source` makes: one name and one reader per image.

    `counts` tells how many images each of the paths gave, in the order of the paths.
    """

    names: tuple[str, ...]
    readers: tuple[Callable[[], np.ndarray], ...]
    fingerprint: str
    counts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.readers)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.readers[index]()


def open_source(paths: str | Path | Sequence[str | Path], *, split: str = "train") -> Images:
    """Opens images for training; nothing is decoded until it is asked for.

    Args:
      paths: each an image file, a folder of images, a folder with the images in `HR/`, or a
        dataset made by `jaxsr prepare`. Images keep the order of the paths, then of their names.
      split: which split to take of the datasets; files and folders have no splits.

    Returns:
      A source of uint8 [H, W, 3]. Gray images get three equal channels, 16 bits are rounded to 8
      (x / 257) and alpha is dropped. Reading an image raises `InputError` if it is broken or, in
      a dataset, if it is not the image that was stored there.

    Raises:
      InputError: for a path that is missing or holds no images, or an unknown split.
    """
    paths = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    if not paths:
        raise InputError("no training images: give at least one file, folder or dataset")
    parts = [_open(path, split) for path in paths]
    names = [
        # The file name is what people look for; a folder before it only where it is needed.
        name if len(paths) == 1 or path.is_file() else f"{path.name}/{name}"
        for path, part in zip(paths, parts, strict=True)
        for name in part.names
    ]
    digest = hashlib.sha256("\n".join(part.fingerprint for part in parts).encode())
    return Images(
        tuple(names),
        tuple(r for part in parts for r in part.readers),
        digest.hexdigest(),
        tuple(len(part) for part in parts),
    )


def _open(path: Path, split: str) -> Images:
    dataset = find_dataset(path)
    if dataset is not None:
        return _open_dataset(dataset, split)
    files = image_files(path)
    stats = [file.stat() for file in files]
    return Images(
        names=tuple(file.name for file in files),
        readers=tuple(functools.partial(read_rgb, file) for file in files),
        fingerprint=repr(
            [
                (str(file.resolve()), stat.st_size, stat.st_mtime_ns)
                for file, stat in zip(files, stats, strict=True)
            ]
        ),
        counts=(len(files),),
    )


def image_files(path: Path) -> list[Path]:
    """The image file at `path`, or the images of the folder `path`/HR or else `path`."""
    from jaxsr.image.io import find_images

    if path.is_file():
        return [path]
    return find_images(path / "HR" if (path / "HR").is_dir() else path)


def read_rgb(path: Path) -> np.ndarray:
    """The image as uint8 [H, W, 3]: gray repeated, 16 bits rounded, alpha dropped."""
    from jaxsr.image.io import read_image

    return to_rgb8(read_image(path).pixels)


def to_rgb8(pixels: np.ndarray) -> np.ndarray:
    """[H, W, 1|3] uint8 or uint16 to [H, W, 3] uint8, rounding x / 257."""
    pixels = to_8bit(pixels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def to_8bit(pixels: np.ndarray) -> np.ndarray:
    """uint8 as it is; uint16 to uint8, rounding x / 257."""
    if pixels.dtype != np.uint16:
        return pixels
    # 257 is odd, so there are no ties, and white (65535) stays white (255).
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def find_dataset(path: Path) -> Path | None:
    """The tfds dataset at `path`, `path`/VERSION or `path`/NAME/VERSION; None if there is none."""
    patterns = ("dataset_info.json", "*/dataset_info.json", "*/*/dataset_info.json")
    found = sorted(info.parent for pattern in patterns for info in path.glob(pattern))
    if len(found) > 1:
        raise InputError(f"{path}: holds {len(found)} datasets; give one of them: {found[0]}, ...")
    return found[0] if found else None


def dataset_records(dataset: Path) -> dict[str, list[dict[str, Any]]]:
    """What `jaxsr prepare` wrote: per split a dict of each image but for its pixels.

    The keys are `filename`, `height`, `width`, `channels` and `sha256`.

    Raises:
      InputError: if the dataset was not made by `jaxsr prepare`.
    """
    try:
        return json.loads((dataset / "metadata.json").read_text(encoding="utf-8"))["jaxsr"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{dataset}: not a dataset of `jaxsr prepare` (no list of images in metadata.json); "
            "make one from the folder of images"
        ) from None


def _open_dataset(dataset: Path, split: str) -> Images:
    import tensorflow_datasets as tfds

    splits = dataset_records(dataset)
    if split not in splits:
        raise InputError(f"{dataset}: no split '{split}'{nearest(split, splits)}")
    records = splits[split]
    # Skipping tfds' decoder: it takes OpenCV or Pillow, whichever it finds.
    stored = tfds.builder_from_directory(dataset).as_data_source(
        split=split,  # pyright: ignore[reportCallIssue] # hidden by tfds' logging decorator
        decoders={"image": tfds.decode.SkipDecoding()},
    )
    return Images(
        names=tuple(record["filename"] for record in records),
        readers=tuple(
            functools.partial(_read_record, stored, i, dataset, record["filename"])
            for i, record in enumerate(records)
        ),
        fingerprint=repr([record["sha256"] for record in records]),
        counts=(len(records),),
    )


def read_validation(path: str | Path) -> list[tuple[str, np.ndarray]]:
    """Name and uint8 [H, W, 1 or 3] of each image in the split `validation` of a dataset.

    Unlike in `open_source`, gray files are [H, W, 1]: gray is its own luma, and scores lower (by
    1.3 dB) than the same picture as RGB.

    Raises:
      InputError: if `path` is no dataset of `jaxsr prepare`, has no such split, or is damaged.
    """
    path = Path(path)
    dataset = find_dataset(path) or path
    records = dataset_records(dataset).get("validation", [])
    source = _open_dataset(dataset, "validation")
    if any("channels" not in record for record in records):
        raise InputError(f"{dataset}: does not say which images are gray; prepare it again")
    return [
        (record["filename"], source[i][..., : record["channels"]])
        for i, record in enumerate(records)
    ]


def _read_record(
    stored: Sequence[dict[str, Any]], index: int, dataset: Path, name: str
) -> np.ndarray:
    advice = "prepare the dataset again"
    try:
        record = stored[index]
        pixels = decode_rgb(record["image"])
        whole = (
            record["filename"].decode() == name
            and (record["height"], record["width"]) == pixels.shape[:2]
            and record["sha256"].decode() == pixel_digest(pixels)
        )
    except Exception as error:  # whatever ArrayRecord, tfds or Pillow make of a damaged file
        raise InputError(f"{dataset}: {name}: damaged ({error}); {advice}") from error
    if not whole:
        raise InputError(f"{dataset}: {name}: damaged (not what was stored there); {advice}")
    return pixels


def decode_rgb(encoded: bytes) -> np.ndarray:
    """Plain 8-bit decoding of a PNG or JPEG in memory: uint8 [H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB"))


def pixel_digest(pixels: np.ndarray) -> str:
    """SHA-256 of the pixels [H, W, 3] in row order, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def broken_images(broken: Sequence[tuple[str, Exception]], total: int) -> InputError:
    """One line for (name, what reading it raised) of everything that could not be read."""
    reasons = []
    for name, error in broken[:5]:
        # Readers name the path first and what to do last; both are said once for all here.
        reason = " ".join(str(error).split()).rpartition(f"{Path(name).name}: ")[2].split(";")[0]
        reasons.append(f"{name} ({reason or type(error).__name__})")
    more = f", and {len(broken) - 5} more" if len(broken) > 5 else ""
    return InputError(
        f"{len(broken)} of {total} images cannot be read: {', '.join(reasons)}{more}; "
        "replace or remove them"
    )
