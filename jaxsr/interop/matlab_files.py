"""MATLAB's .mat files of version 5, in which the early papers gave away their weights.

A file is a header and elements: a kind, a size in bytes, the bytes. A variable is an element made
of elements: flags, dimensions, name, numbers; a cell holds variables instead of numbers.

Why not `scipy.io.loadmat`: on a damaged file it reads memory that is not its own and may end the
process.
"""

import math
import struct
import zlib

import numpy as np

from jaxsr.errors import InputError
from jaxsr.interop.archive import Budget

_HEADER = 128  # bytes
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"} | {
    12: "i8",
    13: "u8",
}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHARACTERS = 1, 4
_NUMERIC = range(6, 16)  # double, single, int8, ..., uint64
_COMPLEX = 0x800


def read_mat(data: bytes, budget: Budget) -> dict[str, np.ndarray]:
    """The variables as `scipy.io.loadmat` gives them: arrays of numbers, and cells of such arrays
    as arrays of objects. Texts are left out.

    Raises:
      InputError: for structs and objects.
      ValueError: saying what is wrong with the file.
    """
    order = "<" if data[126:128] == b"IM" else ">"
    variables: dict[str, np.ndarray] = {}
    at = _HEADER
    while at < len(data):
        kind, body, at = _element(data, at, order)
        if kind == _COMPRESSED:
            inflated = zlib.decompressobj().decompress(body, max(1, budget.left))
            budget.take(len(inflated) + 1, "a variable")
            kind, body, _ = _element(inflated, 0, order)
        if kind != _MATRIX:
            raise ValueError(f"it has an element of the unknown kind {kind}")
        name, value = _variable(body, order)
        if name in variables:
            raise ValueError(f"it has two variables {name[:80]!r}")
        if name and value is not None:
            variables[name] = value
    return variables


def _element(data: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """The kind and the bytes of the element that starts at `at`, and where the next one starts."""
    if len(data) < at + 8:
        raise ValueError("it is cut off")
    kind, size = struct.unpack_from(f"{order}II", data, at)
    start, end = at + 8, at + 8 + size
    if kind >> 16:  # up to four bytes share the eight of the head
        kind, size = kind & 0xFFFF, kind >> 16
        start, end = at + 4, at + 8
    elif kind != _COMPRESSED:
        end += -size % 8
    if len(data) < start + size or end < start + size:
        raise ValueError(f"it is cut off: an element claims {size} bytes")
    return kind, data[start : start + size], end


def _variable(body: bytes, order: str, inside: bool = False) -> tuple[str, np.ndarray | None]:
    """Name and value of a variable, or of an entry of a cell; None for text."""
    if not body:  # an empty entry, of the shape that SciPy gives it
        return "", np.zeros((1, 0))
    _, flags, at = _element(body, 0, order)
    kind = struct.unpack_from(f"{order}I", flags.ljust(4, b"\0"))[0]
    is_complex, kind = kind & _COMPLEX, kind & 0xFF
    if is_complex or kind not in (*_NUMERIC, _CHARACTERS, _CELL) or (inside and kind == _CELL):
        raise InputError("holds MATLAB structs or objects; save their arrays as variables")
    _, dimensions, at = _element(body, at, order)
    shape = np.frombuffer(dimensions[: len(dimensions) // 4 * 4], f"{order}i4").tolist()
    _, name, at = _element(body, at, order)
    size = math.prod(shape)
    if not 2 <= len(shape) <= 32 or min(shape) < 0 or size > len(body):
        raise ValueError(f"its variable {name[:80]!r} claims the shape {shape[:32]}")
    value: np.ndarray | None = None
    if kind == _CELL:
        value = np.empty(size, object)
        for number in range(size):
            _, entry, at = _element(body, at, order)
            _, value[number] = _variable(entry, order, inside=True)
            if value[number] is None:
                raise InputError("holds MATLAB cells of text; save cells of numbers only")
    elif kind != _CHARACTERS:
        stored, raw, _ = _element(body, at, order)
        dtype = np.dtype(order + _NUMBERS[stored]) if stored in _NUMBERS else None
        if dtype is None or len(raw) != size * dtype.itemsize:
            raise ValueError(f"its variable {name[:80]!r} claims the shape {shape}")
        value = np.frombuffer(raw, dtype)
    return name.decode("latin1"), None if value is None else value.reshape(shape, order="F")
