"""MATLAB's .mat files of version 5, in which the early papers gave away their weights."""

import io
import struct
import zlib
from typing import Any

import numpy as np

from jaxsr.errors import InputError
from jaxsr.interop.archive import Budget

_HEADER = 128  # bytes
_COMPRESSED = 15  # the kind of an element
_NUMBERS = (
    "double",
    "single",
    "logical",
    *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)),
)


def read_mat(data: bytes, budget: Budget) -> dict[str, np.ndarray]:
    """The variables: arrays of numbers, and cells of them as arrays of objects.

    Raises:
      InputError: for structs and objects.
      ValueError: saying what is wrong with the file.
    """
    plain = _inflated(data, budget)
    variables = _scipy("whosmat", plain)
    names = [name for name, _, _ in variables]
    for name, shape, kind in variables:
        if kind not in (*_NUMBERS, "cell", "char"):
            raise InputError(
                f"its variable '{name[:80]}' is a MATLAB {kind}; save its arrays as variables"
            )
        if names.count(name) > 1:
            raise ValueError(f"it has two variables {name[:80]!r}")
        if np.prod(shape, dtype=float) > len(plain):
            raise ValueError(f"its variable {name[:80]!r} claims the shape {shape}")
    wanted = [name for name, _, kind in variables if kind != "char"]
    arrays = _scipy("loadmat", plain, variable_names=wanted)
    arrays = {name: arrays[name] for name in wanted}
    for name, value in arrays.items():
        if value.dtype == object and not all(_is_numbers(item) for item in value.flat):
            raise InputError(f"its cell '{name[:80]}' holds something else than numbers")
    return arrays


def _scipy(function: str, data: bytes, **options: Any) -> Any:
    import scipy.io  # slow to import

    try:
        return getattr(scipy.io, function)(io.BytesIO(data), **options)
    except Exception as error:  # of any kind, for a damaged file
        raise ValueError(f"SciPy: {error}") from None


def _is_numbers(item: object) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.kind in "biuf"


def _inflated(data: bytes, budget: Budget) -> bytes:
    """The same file without compression: SciPy would inflate whatever it finds."""
    order = "<" if data[126:128] == b"IM" else ">"
    parts, at = [data[:_HEADER]], _HEADER
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        body = data[at + 8 : at + 8 + size]
        if len(body) < size:
            raise ValueError(f"it is cut off: {len(body)} bytes are left of {size}")
        if kind == _COMPRESSED:
            inflated = zlib.decompressobj().decompress(body, max(1, budget.left))
            budget.take(len(inflated) + 1, "a variable")
            parts.append(inflated)
        else:
            parts.append(data[at : at + 8 + size])
        at += 8 + size
    return b"".join(parts)
