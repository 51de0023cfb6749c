"""Names under which cache files are written until they are whole: one writer at a time.

Where the system has flock, the unfinished file is itself the lock: other processes wait until it
gets its final name, and when its writer dies the next one takes it over. Nothing else lies about.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_STALE = 24 * 3600  # seconds without a write after which an unfinished file has lost its writer


def unfinished(path: Path) -> Path:
    """The name under which the cache file `path` is written."""
    return path.with_name(f".{path.stem}.tmp")


@contextmanager
def one_writer(path: Path, *, warn: Callable[[str], None]) -> Iterator[Path]:
    """The name to write `path` under, for one process at a time; others wait, after a warning.

    Whoever gets it must look first whether `path` is there by now, and may rename the file. Where
    files cannot be locked nobody waits: every process gets a name of its own.
    """
    _remove_stale(path.parent)
    name = unfinished(path)
    lock = _lock(name, lambda: warn(f"waiting for another process to decode images into {path}"))
    if lock is None:
        with own_name(path.parent) as own:
            yield own
        return
    with lock:
        try:
            yield name
        finally:
            if _is_at(lock, name):  # once it is renamed, a file of this name is the next one's
                name.unlink()


@contextmanager
def own_name(folder: Path) -> Iterator[Path]:
    """A name in `folder` that no other process uses; what is left of that name is removed."""
    _remove_stale(folder)
    name = folder / f".hr-{uuid.uuid4().hex}.tmp"
    try:
        yield name
    finally:
        name.unlink(missing_ok=True)


def _lock(name: Path, waiting: Callable[[], None]) -> BinaryIO | None:
    """The file of that name, opened and locked; None if that cannot be done."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    told = False
    while True:
        try:
            file = open(name, "ab")  # noqa: SIM115 (it stays open, and locked)
        except OSError:  # another user's file, or a folder that takes none
            return None
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waiting()
                told = True
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, name):
                return file
        except OSError:  # a file system without locks
            file.close()
            name.unlink(missing_ok=True)
            return None
        except BaseException:
            file.close()
            raise
        file.close()  # renamed or removed while we waited: locking it means nothing


def _is_at(file: BinaryIO, name: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), name.stat())
    except FileNotFoundError:
        return False


def _remove_stale(folder: Path) -> None:
    """Removes the unfinished files of processes that were killed while they wrote."""
    for file in folder.glob(".hr-*.tmp"):
        with suppress(OSError):  # another process may remove it at the same time
            if file.stat().st_mtime < time.time() - _STALE:
                file.unlink()
