"""Writing a page: whole, or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from jaxsr.errors import InputError


def write_page(path: Path, pieces: Iterable[str]) -> int:
    """Writes text piece by piece to a temporary name and renames it; returns its bytes.

    Raises:
      InputError: if it cannot be written there; what `pieces` raises passes, with nothing left.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        size = temporary.stat().st_size
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written: {reason}; choose another place") from None
    finally:
        with contextlib.suppress(OSError):  # gone when all went well
            temporary.unlink()
    return size
