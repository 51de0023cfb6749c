"""The decoded images of a training set, from which patches are cut without decoding again.

Small sets live in memory. Larger ones go to one file of raw pixels, memory-mapped:

    pixels of image 0, of image 1, ... | JSON: names and sizes | its length, 8 bytes | 8-byte mark

Its name holds a digest of what it was made from, so it is used only for just these images. It is
written under another name first: a file of that name is whole, unless it was cut short later,
and then the end mark or the length is wrong and it is made again. Cache files can be deleted at
any time.
"""

import hashlib
import itertools
import json
import os
import time
import uuid
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxsr.data.ahead import prefetch
from jaxsr.data.source import Source, broken_images
from jaxsr.errors import InputError

_MARK = b"jaxsrHR1"
_STALE = 24 * 3600  # seconds without a write after which a temporary file has lost its writer


@dataclass(frozen=True)
class Cache:
    """Decoded images: `cache[i]` is a read-only uint8 [H, W, 3] view, named `names[i]`.

    It is image `origin[i]` of the source; rescaled copies share the number. `left_out` tells, as
    "NAME WxH", which images were too small to be in it.
    """

    images: tuple[np.ndarray, ...]
    names: tuple[str, ...]
    origin: tuple[int, ...]
    left_out: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.images[index]

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels, in memory or in the file."""
        return sum(image.nbytes for image in self.images)


def cache_folder() -> Path:
    """Where jaxsr keeps what it can make again: `$JAXSR_CACHE`, or `~/.cache/jaxsr`."""
    return Path(os.environ.get("JAXSR_CACHE") or Path.home() / ".cache" / "jaxsr")


def build_cache(
    source: Source,
    *,
    memory_limit: int = 2 << 30,
    folder: str | Path | None = None,
    rescale: Sequence[float] = (1.0,),
    min_size: int = 1,
    progress: bool = True,
) -> Cache:
    """Decodes every image of `source` once.

    Args:
      source: from `open_source`, or anything like it.
      memory_limit: bytes; if the decoded images take more, they go to a file in `folder`.
      folder: where cache files are; made if it does not exist. An earlier run's file of the same
        images is used again if the source has a `fingerprint`.
      rescale: each image enters once per factor, shrunk by it with MATLAB's bicubic; the classic
        augmentation is (1.0, 0.9, 0.8, 0.7, 0.6).
      min_size: images with a side below this (the HR patch, in pixels) are left out.
      progress: show a bar on stderr after two seconds, if that is a terminal.

    Raises:
      InputError: for images that cannot be read (all of them named), if none is large enough,
        if `memory_limit` is exceeded without a folder, or if the file cannot be written.
    """
    for factor in rescale:
        if not 0 < factor <= 1:
            raise InputError(f"rescale holds {factor}; give factors above 0 and up to 1")
    folder = None if folder is None else Path(folder)
    path = None
    if folder is not None and (fingerprint := getattr(source, "fingerprint", None)):
        digest = hashlib.sha256(f"{fingerprint} {[float(f) for f in rescale]}".encode())
        path = _cache_path(folder, digest.hexdigest())
    cached = None if path is None else _open_cache(path)
    if cached is None:
        entries = _decoded(source, rescale, progress)
        cached = _collect(entries, memory_limit, folder, path)
    return _large_enough(*cached, len(rescale), min_size)


def _large_enough(names: list[str], images: list[np.ndarray], copies: int, min_size: int) -> Cache:
    """Leaves out the small ones; each image of the source has `copies` entries in a row."""
    if not images:
        raise InputError("no training images: the source is empty")
    labels = [
        f"{name} {image.shape[1]}x{image.shape[0]}"
        for name, image in zip(names, images, strict=True)
    ]
    keep = [min(image.shape[:2]) >= min_size for image in images]
    if not any(keep):
        best = max(range(len(images)), key=lambda i: min(images[i].shape[:2]))
        raise InputError(
            f"none of the {len(images)} images has room for a patch of {min_size}x{min_size}: "
            f"the largest is {labels[best]}; take a smaller patch or larger images"
        )
    views = [image.view() for image in images]  # the arrays themselves may be the caller's
    for view in views:
        view.flags.writeable = False
    return Cache(
        images=tuple(itertools.compress(views, keep)),
        names=tuple(itertools.compress(names, keep)),
        origin=tuple(i // copies for i, kept in enumerate(keep) if kept),
        left_out=tuple(label for label, kept in zip(labels, keep, strict=True) if not kept),
    )


def _decoded(
    source: Source, rescale: Sequence[float], progress: bool
) -> Generator[tuple[str, np.ndarray], None, None]:
    """Name and pixels of every image at every factor, in order; raises only after the last."""
    from tqdm import tqdm

    def decode(i: int) -> list[np.ndarray] | Exception:
        try:
            pixels = np.ascontiguousarray(source[i])
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
                found = f"{pixels.dtype} {list(pixels.shape)}"
                raise InputError(f"expected uint8 [H, W, 3], got {found}")
            return [_shrink(pixels, factor) for factor in rescale]
        except (InputError, OSError) as error:
            return error

    threads = min(8, os.cpu_count() or 1)
    broken = []
    results = prefetch(decode, 0, len(source), depth=2 * threads, threads=threads)
    bar = tqdm(
        total=len(source), desc="decode", unit="image", delay=2, disable=None if progress else True
    )
    with closing(results), bar:
        for name, result in zip(source.names, results, strict=True):
            bar.update()
            if isinstance(result, Exception):
                broken.append((name, result))
            elif not broken:  # nothing is kept once one is broken
                for factor, pixels in zip(rescale, result, strict=True):
                    yield (name if factor == 1 else f"{name}@{factor:g}"), pixels
    if broken:
        raise broken_images(broken, len(source))


def _shrink(pixels: np.ndarray, factor: float) -> np.ndarray:
    if factor == 1:
        return pixels
    from jaxsr.image.resize import imresize_on_host

    return imresize_on_host(pixels, factor)


def _collect(
    entries: Generator[tuple[str, np.ndarray], None, None],
    memory_limit: int,
    folder: Path | None,
    path: Path | None,
) -> tuple[list[str], list[np.ndarray]]:
    """All entries, in memory as long as they fit and otherwise from a file."""
    names, images, nbytes = [], [], 0
    with closing(entries):
        for name, pixels in entries:
            names.append(name)
            images.append(pixels)
            nbytes += pixels.nbytes
            if nbytes <= memory_limit:
                continue
            if folder is None:
                raise InputError(
                    f"the decoded images take more than memory_limit = {memory_limit} bytes; "
                    "raise it or give a folder for the cache file"
                )
            held = zip(names, images, strict=True)
            written = _write_cache(itertools.chain(held, entries), folder, path)
            cached = _open_cache(written)
            if cached is None:
                raise InputError(f"{written}: changed while it was written; run again")
            return cached
    return names, images


def _cache_path(folder: Path, digest: str) -> Path:
    return folder / f"hr-{digest[:32]}.cache"


def _write_cache(
    entries: Iterable[tuple[str, np.ndarray]], folder: Path, path: Path | None
) -> Path:
    """Writes the cache file and returns its path: `path`, or one named by the pixels."""
    temporary = folder / f".hr-{uuid.uuid4().hex}.tmp"
    names, sizes, digest = [], [], hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        with open(temporary, "xb") as file:
            for name, pixels in entries:
                names.append(name)
                sizes.append(pixels.shape[:2])
                file.write(pixels.data)
                if path is None:
                    digest.update(pixels.data)
            index = json.dumps({"names": names, "sizes": sizes}).encode()
            file.write(index + len(index).to_bytes(8, "little") + _MARK)
        if path is None:
            digest.update(index)
            path = _cache_path(folder, digest.hexdigest())
        # Another process may have been faster; its file may be mapped, which Windows guards.
        if _open_cache(path) is None:
            os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot write the cache of decoded images ({error.strerror}); "
            "give another folder or free some space"
        ) from error
    finally:
        if temporary.exists():  # not so if there is no folder to hold it
            temporary.unlink()
    return path


def _remove_stale(folder: Path) -> None:
    """Removes the temporary files of processes that were killed while they wrote."""
    for file in folder.glob(".hr-*.tmp"):
        with suppress(OSError):  # another process may remove it at the same time
            if file.stat().st_mtime < time.time() - _STALE:
                file.unlink()


def _open_cache(path: Path) -> tuple[list[str], list[np.ndarray]] | None:
    """Names and memory-mapped images of a cache file; None if it is absent or not whole."""
    try:
        mapped = np.memmap(path, np.uint8, "r")
        end = len(mapped) - 16
        if end < 0 or mapped[end + 8 :].tobytes() != _MARK:
            return None
        begin = end - int.from_bytes(mapped[end : end + 8].tobytes(), "little")
        if begin < 0:
            return None
        index = json.loads(mapped[begin:end].tobytes())
        names, sizes = index["names"], index["sizes"]
        whole = (
            isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            and len(names) == len(sizes)
            and all(min(h, w) > 0 for h, w in sizes)
            and sum(h * w * 3 for h, w in sizes) == begin
        )
        if not whole:
            return None
        pixels, images, start = np.asarray(mapped), [], 0
        for h, w in sizes:
            images.append(pixels[start : start + h * w * 3].reshape(h, w, 3))
            start += h * w * 3
    # ValueError: an empty file, or an index that is no JSON; the last two: JSON of something else.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return names, images
