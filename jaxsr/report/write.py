"""Writing a page: whole, or not at all."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from jaxsr.replacing import replacing as replacing_file


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file under a temporary name, which becomes `path` when the block ends well.

    What is no Unicode, such as an old file's name, becomes a question mark.

    Raises:
      InputError: if it cannot be written there; what the block raises passes, with nothing left.
    """
    with (
        replacing_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="replace", newline="\n") as file,
    ):
        yield file


def write_page(path: Path, pieces: Iterable[str]) -> int:
    """Writes text piece by piece, as `replacing` does; returns its bytes."""
    with replacing(path) as file:
        file.writelines(pieces)
        file.flush()
        return os.fstat(file.fileno()).st_size
