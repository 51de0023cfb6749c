"""The samples in an open image file, in the file's own depth: [H, W, 1..4] uint8 or uint16.

Two and four channels are gray and RGB with straight alpha. Pillow decodes 8 bits; it would
silently cut 16-bit RGB to 8, so that 16-bit PNG goes through imagecodecs and 16-bit TIFF through
tifffile. Every size is checked in the header, before anything is decoded.
"""

import logging
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from jaxsr.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from tifffile import TiffPage

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a header for a decompression bomb

_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION_TAG = 274


def decode(path: Path, file: IO[bytes]) -> tuple[np.ndarray, bytes | None]:
    """The first picture, upright, and its ICC profile. `path` is for the messages.

    Raises:
      InputError: for too many pixels or samples that are neither 8- nor 16-bit integers; the
        decoders raise whatever they like for damaged files.
    """
    found = _read_deep_tiff(path, file) if _is_tiff(file) else None
    return found or _read_with_pillow(path, file)


def header_size(path: Path, file: IO[bytes]) -> tuple[int, int]:
    """(H, W) of what `decode` would return; raises as `decode`."""
    if _is_tiff(file):
        with _first_page(path, file) as page:
            width, height = page.imagewidth, page.imagelength
            orientation = _tiff_orientation(page)
    else:
        image = _open_pillow(path, file)
        (width, height), orientation = image.size, _exif_orientation(image, file)
    return (width, height) if orientation >= 5 else (height, width)


def too_large(path: Path) -> str:
    """The message for a file of more than MAX_PIXELS."""
    return f"{path}: claims more than {MAX_PIXELS} pixels; cut it into parts first"


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(too_large(path))


def _oriented(samples: np.ndarray, orientation: int) -> np.ndarray:
    """[H, W, C] samples as stored, turned upright by the EXIF orientation 1..8."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples


def _open_pillow(path: Path, file: IO[bytes]) -> "Image.Image":
    """The image with only its header read."""
    from PIL import Image

    file.seek(0)
    image = Image.open(file, formats=_FORMATS)
    _check_pixels(path, *image.size)
    return image


def _read_with_pillow(path: Path, file: IO[bytes]) -> tuple[np.ndarray, bytes | None]:
    image = _open_pillow(path, file)
    icc = image.info.get("icc_profile")
    # Pillow turns TIFF by itself while loading.
    orientation = 1 if image.format == "TIFF" else _exif_orientation(image, file)
    if image.format == "PNG" and _needs_libpng(image, file):
        import imagecodecs

        file.seek(0)
        samples = imagecodecs.png_decode(file.read())
        samples = samples.reshape(*samples.shape[:2], -1)
        return _oriented(samples, orientation), icc
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise InputError(
            f"{path}: {image.format} with samples of mode {image.mode}; convert to 8 or 16 bits"
        )
    if image.mode in ("CMYK", "LAB"):
        icc = None  # it describes inks or Lab, no longer the RGB that is returned
    gray = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if gray else "RGB") + ("A" if image.has_transparency_data else "")
    samples = np.asarray(image.convert(mode))
    return _oriented(samples.reshape(*samples.shape[:2], -1), orientation), icc


def _needs_libpng(image: "Image.Image", file: IO[bytes]) -> bool:
    """16 bits, or a transparent gray level, which Pillow compares unscaled below 8 bits."""
    header = _png_chunk(file, b"IHDR") or b""
    return header[8] == 16 or (image.mode == "L" and "transparency" in image.info)


def _exif_orientation(image: "Image.Image", file: IO[bytes]) -> int:
    from PIL import Image

    if image.format == "PNG" and "exif" not in image.info:
        # It may follow the pixels; Pillow would decode them all to get there.
        exif = _png_chunk(file, b"eXIf")
        if exif:
            image.info["exif"] = exif
        read = Image.Image.getexif
    else:
        read = type(image).getexif
    try:
        orientation = read(image).get(_ORIENTATION_TAG)
    except Exception:  # broken metadata says nothing of the pixels
        return 1
    return _upright_unless_valid(orientation)


def _png_chunk(file: IO[bytes], kind: bytes) -> bytes | None:
    """The first chunk of this kind, found without decoding; the file's position is kept."""
    position = file.tell()
    file.seek(len(_PNG_MAGIC))
    found = None
    while found is None and len(head := file.read(8)) == 8:
        (length,) = struct.unpack(">I", head[:4])
        if head[4:] == kind:
            found = file.read(length)
        else:
            file.seek(length + 4, os.SEEK_CUR)
    file.seek(position)
    return found


def _is_tiff(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(4) in _TIFF_MAGICS


@contextmanager
def _first_page(path: Path, file: IO[bytes]) -> Iterator["TiffPage"]:
    from tifffile import TiffFile, TiffPage

    file.seek(0)
    log = logging.getLogger("tifffile")
    log.addFilter(_drop)  # it reports every odd tag; what matters is raised
    try:
        with TiffFile(file) as tiff:
            page = tiff.pages[0]
            assert isinstance(page, TiffPage)
            _check_pixels(path, page.imagewidth, page.imagelength)
            yield page
    finally:
        log.removeFilter(_drop)


def _drop(record: logging.LogRecord) -> bool:
    return False


def _tiff_orientation(page: "TiffPage") -> int:
    tag = page.tags.get(_ORIENTATION_TAG)
    return _upright_unless_valid(tag.value if tag is not None else None)


def _upright_unless_valid(orientation: object) -> int:
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _read_deep_tiff(path: Path, file: IO[bytes]) -> tuple[np.ndarray, bytes | None] | None:
    """Samples [H, W, 1..4] uint16 and profile; None for 8 bits and less, which are Pillow's."""
    with _first_page(path, file) as page:
        if page.bitspersample <= 8:
            return None
        photometric = getattr(page.photometric, "name", str(page.photometric))
        colours = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3}.get(photometric, 0)
        extra = page.samplesperpixel - colours
        plain = page.dtype == np.uint16 and page.bitspersample == 16 and page.imagedepth == 1
        if not (plain and colours and extra in (0, 1)):
            raise InputError(
                f"{path}: {photometric} TIFF with {page.samplesperpixel} samples of "
                f"{page.bitspersample} bits ({page.dtype}); convert to 16-bit gray or RGB"
            )
        if not page.dataoffsets or not page.databytecounts:  # tifffile would return zeros
            raise InputError(f"{path}: damaged TIFF without image data; get the file again")
        samples = page.asarray()
        if page.planarconfig == 2 and page.samplesperpixel > 1:
            samples = np.moveaxis(samples, 0, -1)
        samples = samples.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
        colour, alpha = samples[..., :colours], samples[..., colours:]
        if photometric == "MINISWHITE":
            colour = 65535 - colour
        kind = page.extrasamples[0] if extra else 0
        if kind == 1:  # associated: premultiplied
            straight = np.floor(colour * 65535.0 / np.maximum(alpha, 1) + 0.5)
            colour = np.minimum(straight, 65535).astype(np.uint16)
        if kind in (1, 2):  # 0 is a channel of no stated meaning
            colour = np.concatenate([colour, alpha], axis=-1)
        return _oriented(colour, _tiff_orientation(page)), page.iccprofile
