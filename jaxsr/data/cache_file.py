"""The file of decoded images: raw pixels to be memory-mapped, and a checksum of everything.

    pixels of image 0, of image 1, ... | index | tail

The index is JSON: names, sizes and the CRC-32 of each image's pixels. The tail of 20 bytes is
the index's length and CRC-32 and the mark of the format. CRC-32 notices every change of up to 32
bits in a row, and others but for one in 4e9.

It is written under another name (`jaxsr.data.cache_lock`), so that it is whole whatever happens to
the writer: only a crash of the system or a failing disk can damage it, and the checksums tell.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from jaxsr.data.ahead import prefetch

_MARK = b"jaxsrHR2"
_TAIL = struct.Struct("<QI8s")

Entry = tuple[str, np.ndarray]


class _DamagedError(Exception):
    """What is wrong with a cache file."""


def write_entries(path: Path, entries: Iterable[Entry]) -> str:
    """Writes names and pixels (uint8 [H, W, 3]) to a new file; returns the index's SHA-256."""
    names, sizes, checksums = [], [], []
    with open(path, "wb") as file:
        for name, pixels in entries:
            names.append(name)
            sizes.append(pixels.shape[:2])
            checksums.append(zlib.crc32(pixels.data))
            file.write(pixels.data)
        index = json.dumps({"names": names, "sizes": sizes, "crc32": checksums}).encode()
        file.write(index + _TAIL.pack(len(index), zlib.crc32(index), _MARK))
    return hashlib.sha256(index).hexdigest()


def open_entries(
    path: Path, *, warn: Callable[[str], None], progress: bool
) -> tuple[list[str], list[np.ndarray]] | None:
    """Names and memory-mapped images of a cache file, all of whose pixels were checked.

    None if there is no such file or, after a warning, if it is damaged. What the system has in
    memory is checked at 5 GB/s on two cores (DIV2K in 1.3 s), the rest as fast as it is read.
    """
    try:
        names, images, checksums = _map(path)
        _check(names, images, checksums, progress)
    except FileNotFoundError:
        return None
    except (_DamagedError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        warn(f"{path}: {reason}; decoding the images again")
        return None
    return names, images


def _map(path: Path) -> tuple[list[str], list[np.ndarray], list[int]]:
    try:
        pixels = np.asarray(np.memmap(path, np.uint8, "r"))
    except ValueError:
        raise _DamagedError("this cache file is empty") from None
    end = len(pixels) - _TAIL.size
    if end < 0:
        raise _DamagedError("this cache file is cut short")
    length, checksum, mark = _TAIL.unpack(pixels[end:].tobytes())
    if mark != _MARK:
        raise _DamagedError("this cache file is cut short or of another version of jaxsr")
    begin = end - length
    if begin < 0 or zlib.crc32(pixels[begin:end].data) != checksum:
        raise _DamagedError("the index of this cache file is damaged")
    index = json.loads(pixels[begin:end].tobytes())
    ends = np.cumsum([h * w * 3 for h, w in index["sizes"]])
    if ends[-1] != begin:
        raise _DamagedError("this cache file has lost pixels")
    images = [
        flat.reshape(h, w, 3)
        for flat, (h, w) in zip(np.split(pixels[:begin], ends[:-1]), index["sizes"], strict=True)
    ]
    return index["names"], images, index["crc32"]


def _check(
    names: list[str], images: list[np.ndarray], checksums: list[int], progress: bool
) -> None:
    from tqdm import tqdm

    threads = min(8, os.cpu_count() or 1)  # crc32 lets go of Python's lock
    results = prefetch(
        lambda i: zlib.crc32(images[i].data), 0, len(images), depth=2 * threads, threads=threads
    )
    bar = tqdm(
        total=len(names), desc="check", unit="image", delay=2, disable=None if progress else True
    )
    with closing(results), bar:
        for name, found, expected in zip(names, results, checksums, strict=True):
            bar.update()
            if found != expected:
                raise _DamagedError(f"the pixels of {name} are damaged in this cache file")
