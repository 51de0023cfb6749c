"""Random access to whole images, and their pixels as training sees them.

A source is `len(source)`, `source[i]` -> uint8 [H, W, 3] RGB and `source.names`; any object with
these three members will do.
"""

import functools
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from jaxsr.errors import InputError


class Source(Protocol):
    """Random access to images, safe to read from several threads.

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


def from_files(files: Sequence[Path]) -> Images:
    """The files as one source."""
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


def joined(parts: Sequence[Images], labels: Sequence[str]) -> Images:
    """Several sources as one; images are called LABEL/NAME, or NAME where the label is empty."""
    digest = hashlib.sha256("\n".join(part.fingerprint for part in parts).encode())
    return Images(
        tuple(
            f"{label}/{name}" if label else name
            for label, part in zip(labels, parts, strict=True)
            for name in part.names
        ),
        tuple(reader for part in parts for reader in part.readers),
        digest.hexdigest(),
        tuple(len(part) for part in parts),
    )


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


def decode_rgb(encoded: bytes) -> np.ndarray:
    """Plain 8-bit decoding of a PNG or JPEG in memory: uint8 [H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB"))


def pixel_digest(pixels: np.ndarray) -> str:
    """SHA-256 of the pixels [H, W, 3] in row order, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def some(names: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    more = f", and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def broken_images(broken: Sequence[tuple[str, Exception]], total: int) -> InputError:
    """One line for (name, what reading it raised) of everything that could not be read."""
    reasons = []
    for name, error in broken:
        # Readers name the path first and what to do last; both are said once for all here.
        reason = " ".join(str(error).split()).rpartition(f"{Path(name).name}: ")[2].split(";")[0]
        reasons.append(f"{name} ({reason or type(error).__name__})")
    return InputError(
        f"{len(broken)} of {total} images cannot be read: {some(reasons)}; replace or remove them"
    )
