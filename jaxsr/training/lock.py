"""One run per run folder: two at once would delete each other's unfinished checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaxsr.errors import InputError


@contextmanager
def locked(workdir: Path) -> Iterator[None]:
    """Holds `workdir`/.lock; the system lets go of it however the process ends.

    Raises:
      InputError: if another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there nothing is checked
        yield
        return
    with (workdir / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"--workdir: another process is training in {workdir}; stop it or use another one"
            ) from None
        except OSError:  # a file system without locks: there, too, nothing is checked
            pass
        yield
