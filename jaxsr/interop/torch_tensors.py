"""PyTorch's tensors in pickles: storages, and views of them with offset and strides.

A tensor is pickled as a call of one of `torch._utils`' functions on a storage, which is a
persistent id: `("storage", type, key, device, number of elements)`. The bytes lie elsewhere in
the file; they are asked for when a tensor is.
"""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from jaxsr.errors import InputError
from jaxsr.interop import pickled_numpy
from jaxsr.interop.archive import Budget
from jaxsr.interop.unpickle import Array, Name

STORAGE_DTYPES = {
    "torch.DoubleStorage": np.dtype("<f8"),
    "torch.FloatStorage": np.dtype("<f4"),
    "torch.HalfStorage": np.dtype("<f2"),
    "torch.BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "torch.LongStorage": np.dtype("<i8"),
    "torch.IntStorage": np.dtype("<i4"),
    "torch.ShortStorage": np.dtype("<i2"),
    "torch.CharStorage": np.dtype("i1"),
    "torch.ByteStorage": np.dtype("u1"),
    "torch.BoolStorage": np.dtype("?"),
}


class Storage:
    """`numel` numbers from number `first` of the bytes that `read()` gives."""

    def __init__(
        self, kind: Any, numel: Any, read: Callable[[], bytes], budget: Budget, first: Any = 0
    ):
        if not isinstance(kind, Name) or not _are_counts(numel, first):
            raise TypeError
        self.kind, self.numel, self.first = kind.text, numel, first
        self.read, self.budget = read, budget

    def values(self) -> np.ndarray:
        dtype = STORAGE_DTYPES.get(self.kind)
        if dtype is None:
            raise InputError(f"holds a {self.kind[:80]!r}; save its tensors as float32")
        start, size = self.first * dtype.itemsize, self.numel * dtype.itemsize
        data = self.read()
        if len(data) < start + size:
            raise ValueError(f"a storage of {len(data)} bytes claims {start + size}")
        return np.frombuffer(data, dtype, self.numel, start)


class Tensor(Array):
    """A view of a storage: element i, j, ... is number `offset + i strides[0] + ...` of it."""

    __slots__ = ("offset", "shape", "storage", "strides")

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any):
        super().__init__()
        if not isinstance(storage, Storage) or not _are_counts(offset, *shape, *strides):
            raise TypeError
        if len(shape) != len(strides):
            raise TypeError
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)

    def array(self) -> np.ndarray:
        values = self.storage.values()
        if 0 in self.shape:
            return np.zeros(self.shape, values.dtype)
        steps = ((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if self.offset + sum(steps) >= values.size:
            raise ValueError(f"a tensor of shape {self.shape} reaches beyond its storage")
        size = values.itemsize
        view = np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, [step * size for step in self.strides]
        )
        if not view.flags.c_contiguous:
            self.storage.budget.take(
                math.prod(self.shape) * size, f"a tensor of shape {self.shape}"
            )
            view = view.copy(order="C")
        return view


def _are_counts(*values: Any) -> bool:
    return all(type(value) is int and 0 <= value < 2**62 for value in values)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    return Tensor(storage, offset, shape, strides)


def _tensor_v2(
    storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, metadata: Any = None
) -> Tensor:
    del grad, hooks
    if metadata:  # a negation or conjugation that was put off
        raise InputError("holds a tensor whose negation was put off; save a copy of it")
    return Tensor(storage, offset, shape, strides)


def _tensor_v3(*_: Any) -> Tensor:
    raise InputError("holds tensors of an unusual dtype; save them as float32")


def _parameter(data: Any, *_: Any) -> Any:
    """A parameter is its tensor; whether it has a gradient, and its hooks, mean nothing here."""
    return data


def _from_type(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """A subclass of Tensor is the tensor."""
    del kind, state
    return _REBUILD[function.text](*arguments)


_REBUILD: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **pickled_numpy.FUNCTIONS,
    **_REBUILD,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.nn.parameter.Parameter": _parameter,  # PyTorch before 0.4
    "torch.Size": lambda shape=(): shape,
    "__builtin__.set": lambda items=(): items,  # a module's list of buffers not to be saved
}
