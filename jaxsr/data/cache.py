"""The decoded images of a training set, from which patches are cut without decoding again.

Small sets live in memory. Larger ones go to one memory-mapped file of raw pixels, beside the
dataset where that can be written to (`jaxsr.data.cache_file`). Its name holds a digest of what it
was made from, so it is used only for just these images; its checksums are verified whenever it is
opened, and if one is wrong it is made again. Cache files can be deleted at any time, also while
they are in use.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jaxsr.data.ahead import prefetch
from jaxsr.data.cache_file import Entry, open_entries, write_entries
from jaxsr.data.cache_lock import one_writer, own_name, unfinished
from jaxsr.data.images import Source, broken_images
from jaxsr.data.locate import home
from jaxsr.errors import InputError, nearest

_RESIDENCIES = ("auto", "memory", "mmap")

Warn = Callable[[str], None]
Cached = tuple[list[str], list[np.ndarray]]  # names and images


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


def cache_folder(paths: str | Path | Sequence[str | Path] = ()) -> Path:
    """Where the decoded images of the datasets at `paths` are kept.

    `$JAXSR_CACHE` if it is set; else `.jaxsr-cache` in the folder of the first dataset (beside it
    if it is a single file; in that of HR if it is a pair) if that can be written to; else
    `~/.cache/jaxsr`. Makes nothing.
    """
    if chosen := os.environ.get("JAXSR_CACHE"):
        return Path(chosen)
    paths = [paths] if isinstance(paths, str | Path) else paths
    if paths and (first := home(paths[0])) is not None:
        folder = first / ".jaxsr-cache"
        if os.access(folder if folder.exists() else first, os.W_OK | os.X_OK):
            return folder
    return Path.home() / ".cache" / "jaxsr"


def build_cache(
    source: Source,
    *,
    residency: str = "auto",
    memory_limit: int = 2 << 30,
    folder: str | Path | None = None,
    rescale: Sequence[float] = (1.0,),
    min_size: int = 1,
    progress: bool = True,
    warn: Warn | None = None,
) -> Cache:
    """Decodes every image of `source` once.

    Processes that need the same file at once decode it only once: the first one does, the others
    wait for it, and if it dies one of them takes over.

    Args:
      source: from `open_source`, or anything like it.
      residency: "memory", "mmap" (a file in `folder`) or "auto": in memory as long as it fits.
      memory_limit: bytes; if the decoded images take more, "auto" puts them in a file.
      folder: where cache files are, such as `cache_folder(paths)`; made if it does not exist. An
        earlier run's file of the same images is used again if the source has a `fingerprint`.
      rescale: each image enters once per factor, shrunk by it with MATLAB's bicubic; the classic
        augmentation is (1.0, 0.9, 0.8, 0.7, 0.6).
      min_size: images with a side below this (the HR patch, in pixels) are left out.
      progress: show a bar on stderr after two seconds, if that is a terminal.
      warn: called with a line when a damaged file is made again or another process waited for.

    Raises:
      InputError: for images that cannot be read (all of them named), if none is large enough,
        if a file is needed without a folder, or if it cannot be written.
    """
    if residency not in _RESIDENCIES:
        raise InputError(f"residency is '{residency}'{nearest(residency, _RESIDENCIES)}")
    for factor in rescale:
        if not 0 < factor <= 1:
            raise InputError(f"rescale holds {factor}; give factors above 0 and up to 1")
    if len(source) == 0:
        raise InputError("no training images: the source is empty")
    store = None
    if residency != "memory" and folder is not None:
        digest = _digest(source, rescale)
        store = _Store(Path(folder), digest, warn or (lambda line: None), progress)
    elif residency == "mmap":
        raise InputError("residency is 'mmap': give a folder for the cache file")
    cached = None if store is None else store.open()
    if cached is None:
        with closing(_decoded(source, rescale, progress)) as entries:
            if store is not None and (residency == "mmap" or store.in_the_making):
                cached = store.make(entries)
            else:
                limit = memory_limit if residency == "auto" else None
                cached = _collect(entries, limit, store)
    return _large_enough(*cached, len(rescale), min_size)


def _digest(source: Source, rescale: Sequence[float]) -> str | None:
    """What a cache file holds, in hexadecimal; None if the source cannot tell."""
    fingerprint = getattr(source, "fingerprint", None)
    if not fingerprint:
        return None
    return hashlib.sha256(f"{fingerprint} {[float(f) for f in rescale]}".encode()).hexdigest()


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
    entries: Generator[Entry, None, None], memory_limit: int | None, store: "_Store | None"
) -> Cached:
    """All entries, in memory as long as they fit and otherwise from a file."""
    names, images, nbytes = [], [], 0
    for name, pixels in entries:
        names.append(name)
        images.append(pixels)
        nbytes += pixels.nbytes
        if memory_limit is None or nbytes <= memory_limit:
            continue
        if store is None:
            raise InputError(
                f"the decoded images take more than memory_limit = {memory_limit} bytes; "
                "raise it or give a folder for the cache file"
            )
        return store.make(itertools.chain(zip(names, images, strict=True), entries))
    return names, images


@dataclass(frozen=True)
class _Store:
    """The folder of cache files, and which of them is wanted (None: one like no other)."""

    folder: Path
    digest: str | None
    warn: Warn
    progress: bool

    def _path(self, digest: str) -> Path:
        return self.folder / f"hr-{digest[:32]}.cache"

    def open(self) -> Cached | None:
        """The file of an earlier run, if it is there and whole."""
        if self.digest is None:
            return None
        return open_entries(self._path(self.digest), warn=self.warn, progress=self.progress)

    @property
    def in_the_making(self) -> bool:
        """Whether another process is writing the file, or was killed while it did."""
        return self.digest is not None and unfinished(self._path(self.digest)).exists()

    def make(self, entries: Iterable[Entry]) -> Cached:
        """Writes the file, or waits for the process that does; raises InputError if it fails."""
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.digest is None:
                turn = own_name(self.folder)
            else:
                turn = one_writer(self._path(self.digest), warn=self.warn)
            with turn as temporary:
                # Another process may have been faster; what is damaged was told before.
                cached = replace(self, warn=lambda line: None).open()
                if cached is not None:
                    return cached
                digest = write_entries(temporary, entries)
                path = self._path(self.digest or digest)
                _rename(temporary, path)
        except BaseException as error:
            if made:
                with suppress(OSError):  # it holds something, or was never made
                    self.folder.rmdir()
            if not isinstance(error, OSError):
                raise
            raise InputError(
                f"{self.folder}: cannot write the cache of decoded images ({error.strerror}); "
                "free some space or set JAXSR_CACHE to another folder"
            ) from error
        cached = open_entries(path, warn=self.warn, progress=self.progress)
        if cached is None:
            raise InputError(f"{path}: changed while it was written; run again")
        return cached


def _rename(temporary: Path, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except PermissionError:
        # Windows guards a file that is mapped: another process made the same one meanwhile.
        if os.name != "nt" or not path.exists():
            raise
