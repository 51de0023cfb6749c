"""NumPy arrays in pickles: what `unpickle.load` is to call for NumPy's names.

NumPy pickles an array as an empty one that is then filled with
`(version, shape, dtype, Fortran order?, bytes)`, and a dtype as its code, filled with
`(version, byte order, ...)`.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxsr.interop.unpickle import Array, Object, ordered_dict

_CODE = re.compile("b1|[iu][1248]|f[248]")


class _Dtype(Object):
    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_: Any):
        super().__init__()
        self.code, self.order = code, "<"

    def build(self, state: Any) -> None:
        if state[1] == ">":
            self.order = ">"

    def dtype(self) -> np.dtype[Any]:
        if not isinstance(self.code, str) or not _CODE.fullmatch(self.code):
            raise ValueError(f"it holds a NumPy array of {str(self.code)[:20]!r}, not of numbers")
        return np.dtype(self.order + self.code)


class _Array(Array):
    __slots__ = ("contents",)

    def __init__(self, *_: Any):
        super().__init__()
        self.contents: Any = None

    def build(self, state: Any) -> None:
        self.contents = state[-4:]

    def array(self) -> np.ndarray:
        try:
            shape, dtype, fortran, raw = self.contents
            raw = raw.bytes() if isinstance(raw, _Bytes) else raw
            dtype = dtype.dtype()
            # Not a shape of texts or lists, whose product would be a long one.
            if len(shape) > 64 or not all(type(n) is int and n >= 0 for n in shape):
                raise TypeError
            if len(raw) != math.prod(shape) * dtype.itemsize:
                raise ValueError(f"a NumPy array of {len(raw)} bytes claims the shape {shape}")
            return np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
        except (TypeError, AttributeError):
            raise ValueError("a NumPy array in it makes no sense") from None


def _filled(shape: Any, dtype: Any, fortran: Any, raw: Any) -> _Array:
    array = _Array()
    array.contents = (shape, dtype, fortran, raw)
    return array


class _Bytes(Object):
    """Bytes as protocol 2 pickles them: text to be encoded. They are made once, when needed."""

    __slots__ = ("made", "text")

    def __init__(self, text: Any, encoding: Any):
        del encoding  # always latin1
        super().__init__()
        self.text, self.made = text, None

    def bytes(self) -> bytes:
        if self.made is None:
            self.made = self.text.encode("latin1")
        return self.made


_MULTIARRAY: dict[str, Callable[..., Any]] = {
    "_reconstruct": _Array,
    "scalar": lambda dtype, raw: _filled((), dtype, False, raw),
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": ordered_dict,
    "_codecs.encode": _Bytes,
    "numpy.dtype": _Dtype,
    **{f"numpy.core.multiarray.{name}": make for name, make in _MULTIARRAY.items()},
    **{f"numpy._core.multiarray.{name}": make for name, make in _MULTIARRAY.items()},
    **{
        f"numpy.{core}.numeric._frombuffer": lambda raw, dtype, shape, order: _filled(
            shape, dtype, order == "F", raw
        )
        for core in ("core", "_core")
    },
}
