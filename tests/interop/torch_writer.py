"""Writes what PyTorch writes, for tests without PyTorch: pickles from a few kinds of terms."""

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

# What PyTorch calls the storages.
DTYPES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


@dataclass(frozen=True)
class Name:
    module: str
    name: str


@dataclass(frozen=True)
class Call:
    function: Any
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class Persistent:
    pid: tuple[Any, ...]


@dataclass(frozen=True)
class Raw:
    """A whole pickle that is made already."""

    data: bytes


def pickled(value: Any) -> bytes:
    """The pickle of nested dicts, tuples, lists, text, bytes, numbers and the terms above."""
    return value.data if isinstance(value, Raw) else b"\x80\x02" + _body(value) + b"."


def _body(value: Any) -> bytes:
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case bytes():
            return b"B" + struct.pack("<I", len(value)) + value
        case tuple():
            return b"(" + b"".join(map(_body, value)) + b"t"
        case list():
            return b"](" + b"".join(map(_body, value)) + b"e"
        case dict():
            return b"}(" + b"".join(_body(k) + _body(v) for k, v in value.items()) + b"u"
        case Name(module, name):
            return f"c{module}\n{name}\n".encode()
        case Persistent(pid):
            return _body(pid) + b"Q"
        case Call(function, arguments, state):
            made = _body(function) + _body(arguments) + b"R"
            return made if state is None else made + _body(state) + b"b"
    raise TypeError(value)


def tensor(
    key: str,
    numel: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int = 0,
    *,
    kind: str = "FloatStorage",
    legacy: bool = False,
) -> Call:
    """A tensor as a view of the storage `key`."""
    pid = ("storage", Name("torch", kind), key, "cpu", numel) + ((None,) if legacy else ())
    hooks = Call(Name("collections", "OrderedDict"), ())
    return Call(
        Name("torch._utils", "_rebuild_tensor_v2"),
        (Persistent(pid), offset, shape, strides, False, hooks),
    )


def zipped(
    tree: Any, storages: dict[str, bytes], *, order: bytes = b"little", method: int = 0
) -> bytes:
    """PyTorch's zip format."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("net/data.pkl", pickled(tree))
        archive.writestr("net/byteorder", order)
        for key, data in storages.items():
            archive.writestr(f"net/data/{key}", data)
        archive.writestr("net/version", "3\n")
    return file.getvalue()


def legacy(tree: Any, storages: dict[str, tuple[int, bytes]]) -> bytes:
    """PyTorch's format before 1.6; of each storage the number of elements and the bytes."""
    system = {"protocol_version": 1001, "little_endian": True}
    parts = [0x1950A86A20F9469CFC6C, 1001, system, tree, list(storages)]
    data = b"".join(struct.pack("<q", numel) + raw for numel, raw in storages.values())
    return b"".join(map(pickled, parts)) + data


def same(state: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert list(state) == list(wanted)
    for name, value in wanted.items():
        assert state[name].shape == value.shape and state[name].dtype == value.dtype, name
        np.testing.assert_array_equal(state[name], value)
