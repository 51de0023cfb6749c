"""Writing a file: whole, or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from jaxsr.errors import InputError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which becomes `path` when the block ends well.

    Raises:
      InputError: if it cannot be written there; what else the block raises passes, with nothing
        left.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written: {reason}; choose another place") from None
    finally:
        with contextlib.suppress(OSError):  # gone when all went well
            temporary.unlink()
