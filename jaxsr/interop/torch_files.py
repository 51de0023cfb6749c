"""PyTorch's files, read and written without PyTorch.

Since 1.6 a file is a zip: FOLDER/data.pkl is a pickle whose storages lie in FOLDER/data/KEY.
Before, it was a sequence of pickles: a magic number, a protocol number, facts on the system, the
object, the keys of its storages; then for each key the number of elements (8 bytes) and the
elements. Both are little-endian, unless a zip says otherwise.
"""

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from jaxsr.errors import InputError
from jaxsr.interop.archive import Archive, Budget
from jaxsr.interop.torch_tensors import FUNCTIONS, STORAGE_DTYPES, Storage
from jaxsr.interop.unpickle import Name, load

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {dtype: name.removeprefix("torch.") for name, dtype in STORAGE_DTYPES.items()}


def read_zip(archive: Archive, budget: Budget) -> Any:
    """The object in a zip file of `torch.save` or `torch.jit.save`.

    Returns:
      Dicts, lists and `Object`s; tensors are `Array`s, whose bytes are not yet read.

    Raises:
      ValueError: saying what is wrong.
    """
    folder = next(name for name in archive.names if is_pickle(name)).partition("/")[0]
    order = f"{folder}/byteorder"
    swap = order in archive and archive.read(order).strip() == b"big"
    loaded: dict[str, bytes] = {}

    def storage(pid: Any) -> Storage:
        label, kind, key, _, numel = pid
        if label != "storage" or not isinstance(key, str):
            raise TypeError

        def read() -> bytes:
            if key not in loaded:
                data = archive.read(f"{folder}/data/{key}")
                loaded[key] = _swapped(data, kind) if swap else data
            return loaded[key]

        return Storage(kind, numel, read, budget)

    return load(io.BytesIO(archive.read(f"{folder}/data.pkl")), FUNCTIONS, storage)


def is_pickle(name: str) -> bool:
    """Whether a member of a zip file is the pickle of `torch.save`: FOLDER/data.pkl."""
    return name.count("/") == 1 and name.endswith("/data.pkl")


def _swapped(data: bytes, kind: Name) -> bytes:
    size = STORAGE_DTYPES[kind.text].itemsize
    return np.frombuffer(data, f">u{size}").astype(f"<u{size}").tobytes()


def read_pickle(data: bytes, budget: Budget) -> Any:
    """The object in PyTorch's old format, or in a plain pickle of NumPy arrays.

    Returns:
      As `read_zip`.

    Raises:
      ValueError: saying what is wrong.
    """
    file = io.BytesIO(data)
    first = load(file, FUNCTIONS)
    if first != _MAGIC:
        return first
    if load(file, {}) != _PROTOCOL:
        raise ValueError("it is of an unknown version of PyTorch's old format")
    system = load(file, {})
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise ValueError("it was written by a big-endian machine")
    kinds: dict[Any, str] = {}
    contents: dict[Any, bytes] = {}

    def persistent(pid: Any) -> Any:
        if pid[0] == "module":  # (class, file, source) of a pickled module
            return pid[1]
        label, kind, key, _, numel, *views = pid
        if label != "storage" or not isinstance(key, str):
            raise TypeError
        kinds[key] = kind.text

        def read() -> bytes:
            if key not in contents:
                raise ValueError(f"it lacks the storage {key[:80]!r}")
            return contents[key]

        if not views or views[0] is None:
            return Storage(kind, numel, read, budget)
        _, first, size = views[0]  # a view of the storage
        return Storage(kind, size, read, budget, first)

    tree = load(file, FUNCTIONS, persistent)
    keys = load(file, {})
    if not isinstance(keys, list) or not all(isinstance(key, str) and key in kinds for key in keys):
        raise ValueError("its list of storages makes no sense")
    for key in keys:
        dtype = STORAGE_DTYPES.get(kinds[key])
        if dtype is None:
            raise InputError(f"holds a {kinds[key][:80]!r}; save its tensors as float32")
        contents[key] = _stored(file, dtype.itemsize)
    return tree


def _stored(file: io.BytesIO, itemsize: int) -> bytes:
    head = file.read(8)
    numel = struct.unpack("<q", head)[0] if len(head) == 8 else -1
    left = len(file.getbuffer()) - file.tell()
    if not 0 <= numel * itemsize <= left:
        raise ValueError(f"it is cut off: {left} bytes are left of a storage of {numel} numbers")
    return file.read(numel * itemsize)


def write_torch(path: str | os.PathLike[str] | BinaryIO, state: Mapping[str, np.ndarray]) -> None:
    """Writes tensors as `torch.save` writes a state dict; `torch.load(weights_only=True)` reads it.

    Args:
      path: a file's name, or a binary file open for writing.
      state: the tensors in their order; float64, float32, float16, bfloat16, integers, bool.

    Raises:
      KeyError: for another dtype.
    """
    arrays = {key: np.asarray(value) for key, value in state.items()}
    with zipfile.ZipFile(path, "w") as archive:

        def add(name: str, data: bytes) -> None:
            # A fixed date: the same weights give the same file.
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), data)

        add("data.pkl", _pickled(arrays))
        add("byteorder", b"little")
        for number, value in enumerate(arrays.values()):
            add(f"data/{number}", value.astype(value.dtype.newbyteorder("<")).tobytes())
        add("version", b"3\n")


def _pickled(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An OrderedDict of calls of `_rebuild_tensor_v2`, opcode by opcode."""
    empty = _name("collections OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    stream = [pickle.PROTO, b"\x02", empty, pickle.MARK]
    for number, (key, value) in enumerate(arrays.items()):
        kind = _STORAGES[value.dtype.newbyteorder("<")]
        storage = [_text("storage"), _name(f"torch {kind}"), _text(str(number)), _text("cpu")]
        strides = [int(np.prod(value.shape[axis + 1 :])) for axis in range(value.ndim)]
        stream += [
            _text(key),
            _name("torch._utils _rebuild_tensor_v2"),
            _tuple(
                _tuple(*storage, _integer(value.size)) + pickle.BINPERSID,
                _integer(0),
                _tuple(*map(_integer, value.shape)),
                _tuple(*map(_integer, strides)),
                pickle.NEWFALSE,
                empty,
            ),
            pickle.REDUCE,
        ]
    return b"".join([*stream, pickle.SETITEMS, pickle.STOP])


def _name(text: str) -> bytes:
    return pickle.GLOBAL + text.replace(" ", "\n").encode() + b"\n"


def _text(text: str) -> bytes:
    data = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _integer(number: int) -> bytes:
    if number < 2**31:
        return pickle.BININT + struct.pack("<i", number)
    data = pickle.encode_long(number)
    return pickle.LONG1 + bytes([len(data)]) + data


def _tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE
