"""Picture files: the only place where image files are opened, read and written.

Pixels are [H, W, C] in the file's own depth, uint8 or uint16, C = 1 (gray) or 3 (RGB); alpha is
kept apart, straight. Of files that hold several pictures (animations, TIFF pages) the first is
read. What the formats look like inside is in `decode` and `encode`.
"""

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from jaxsr.errors import InputError
from jaxsr.image.decode import MAX_PIXELS, decode, header_size, too_large
from jaxsr.image.encode import encode
from jaxsr.replacing import replacing

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "Picture",
    "check_format",
    "find_images",
    "image_size",
    "read_image",
    "write_image",
]

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})
_MAX_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}


@dataclass(frozen=True)
class Picture:
    """What an image file holds.

    Attributes:
      pixels: [H, W, C] uint8 or uint16, C = 1 (gray) or 3 (RGB).
      alpha: [H, W, 1] of the same dtype, straight (not premultiplied); None when opaque.
      icc: the ICC profile of the pixels.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None


def read_image(path: str | os.PathLike[str]) -> Picture:
    """Reads a PNG, JPEG, WebP, TIFF or BMP file, whatever its name says.

    The EXIF orientation is applied; palettes, CMYK and YCbCr become RGB, 1-bit becomes gray, and
    a transparent palette entry or colour becomes alpha. The dtype is the file's, not the values'.

    Raises:
      InputError: for a missing, unreadable, damaged or truncated file, something that is no
        image, samples that are neither 8- nor 16-bit integers, more than MAX_PIXELS pixels.
    """
    path = Path(path)
    with _opened(path) as file:
        samples, icc = decode(path, file)
    channels = samples.shape[-1]
    if channels in (2, 4):
        return Picture(_own(samples[..., :-1]), _own(samples[..., -1:]), icc)
    return Picture(_own(samples), None, icc)


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(H, W) of the picture `read_image` would return, from the file's header alone.

    Raises:
      InputError: as `read_image`, as far as the header shows it.
    """
    path = Path(path)
    with _opened(path) as file:
        return header_size(path, file)


def write_image(path: str | os.PathLike[str], picture: Picture) -> None:
    """Writes `picture` in the format of the extension: whole, or nothing at all.

    JPEG has quality 95 without chroma subsampling; everything else is lossless. The ICC profile
    is kept except in BMP, which has no room for it; WebP has no gray and stores RGB.

    Raises:
      InputError: for what `check_format` refuses, or a place that cannot be written.
    """
    path = Path(path)
    check_format(path, picture)
    data = encode(path.suffix.lower(), picture.pixels, picture.alpha, picture.icc)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def check_format(path: str | os.PathLike[str], picture: Picture) -> None:
    """Raises `InputError` unless the format named by the extension can hold the picture."""
    path = Path(path)
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise InputError(
            f"{path}: unknown image extension '{path.suffix}'; use {' '.join(sorted(EXTENSIONS))}"
        )
    if picture.pixels.dtype == np.uint16 and extension not in (".png", ".tif", ".tiff"):
        raise InputError(f"{path}: {extension} cannot hold 16 bits per sample; use .png")
    if picture.alpha is not None and extension in (".jpg", ".jpeg", ".bmp"):
        raise InputError(f"{path}: {extension} cannot hold transparency; use .png")
    height, width = picture.pixels.shape[:2]
    side = _MAX_SIDE.get(extension)
    if side and max(height, width) > side:
        raise InputError(
            f"{path}: {width}x{height} is more than the {side} a side of {extension}; use .png"
        )


def find_images(folder: str | os.PathLike[str]) -> list[Path]:
    """The image files directly in `folder` by extension, "img2" before "img10", hidden ones not.

    Raises:
      InputError: when `folder` is missing, is not a folder, or has no images.
    """
    folder = Path(folder)
    if not folder.exists():
        raise InputError(f"{folder}: no such folder; check the path")
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; give the folder that holds the images")
    images = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
    ]
    if not images:
        known = " ".join(sorted(EXTENSIONS))
        raise InputError(f"{folder}: no images in this folder; expected files in {known}")
    return sorted(images, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    # Splitting at runs of digits alternates text and number, so that like meets like.
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def _own(samples: np.ndarray) -> np.ndarray:
    # Turned and split arrays are views, and Pillow's are read only.
    return np.array(samples, order="C")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The open file; whatever goes wrong with it inside the block becomes an `InputError`."""
    from PIL import Image, UnidentifiedImageError

    if path.is_dir():
        raise InputError(f"{path}: is a folder; give an image file")
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            # Pillow warns of large pictures below our limit and of odd metadata.
            warnings.simplefilter("ignore")
            yield file
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except Image.DecompressionBombError:
        raise InputError(too_large(path)) from None
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not a PNG, JPEG, WebP, TIFF or BMP image, or cut short; convert it first"
        ) from None
    except Exception as error:  # a decoder that is fed garbage may raise anything
        if isinstance(error, OSError) and error.errno:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: damaged or truncated image ({reason}); get the file again"
        ) from None
