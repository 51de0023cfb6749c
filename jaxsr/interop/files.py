"""Files of weights: tensors by name, in and out, whatever the format.

A file is known by its first bytes, not by its name. Nothing in it is run, and nothing is allocated
on its word alone.
"""

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from jaxsr.errors import InputError
from jaxsr.interop import torch_files
from jaxsr.interop.archive import Archive, Budget
from jaxsr.interop.matlab_files import read_mat
from jaxsr.interop.numpy_files import read_npz, write_npz
from jaxsr.interop.state_dict import network_state, without_prefixes
from jaxsr.replacing import replacing

State = dict[str, np.ndarray]

_SAFETENSORS = {
    **{f"F{8 * n}": f"<f{n}" for n in (2, 4, 8)},
    **{f"I{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
    **{f"U{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)},
    "BOOL": "?",
    "BF16": ml_dtypes.bfloat16,
}
# What a download often is instead, by its first bytes.
_MISTAKEN = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the weights; run `git lfs pull`"),
    (b"<", "is a web page, not weights; download the file itself"),
    (b"MATLAB 7.3", "is a MATLAB 7.3 file; save it again with `save -v7`"),
    (b"\x89HDF", "is an HDF5 file; save its arrays as .npz"),
    (b"", "is not a file of weights: .pth, .pt, .safetensors, .npz or .mat"),
)
_LONGEST_NAME = 300  # of a tensor
# What the readers raise for a file that is damaged or made to harm.
_DAMAGE = (
    *(ValueError, EOFError, OverflowError, MemoryError, RecursionError, NotImplementedError),
    *(struct.error, zlib.error, zipfile.BadZipFile, safetensors.SafetensorError),
)


def read_state(path: str | os.PathLike[str]) -> tuple[State, dict[str, str]]:
    """The tensors of a network in a file, and the metadata that came with them.

    Args:
      path: PyTorch's .pth, .pt, .ckpt or .bin (a state dict, a checkpoint, a whole module), a
        pickle of NumPy arrays, .safetensors, .npz, or MATLAB's .mat.

    Returns:
      `{name: array}` in the file's order, its axes and dtypes as they are; cells of a .mat are
      arrays of objects. The metadata of .safetensors and .npz; {} for the others.

    Raises:
      InputError: with one line, for a file that cannot be read or holds no tensors.
    """
    path = Path(path)
    try:
        if stat.S_IFMT(os.stat(path).st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
            # A pipe without a writer would be waited for, /dev/zero read for ever.
            raise InputError(f"{path}: is not a regular file; give a file of weights")
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        state, metadata = _parsed(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: is damaged ({reason}); get the file again") from None
    if not state:
        raise InputError(f"{path}: holds no tensors; give a file of weights")
    for name in state:
        if len(name) > _LONGEST_NAME or not name.isprintable():  # no network's, no terminal's
            raise InputError(f"{path}: holds a tensor of the odd name {name[:80]!r}")
    return state, metadata


def _parsed(data: bytes) -> tuple[State, dict[str, str]]:
    budget = Budget(len(data))
    if not data:
        raise InputError("is empty; get the file again")
    # Before the others: a header's length may begin like a pickle or a zip file.
    if data[5:9] == b"\0\0\0{":
        return _read_safetensors(data)
    if data.startswith(b"PK"):
        archive = Archive(data, budget)
        if any(map(torch_files.is_pickle, archive.names)):
            return network_state(torch_files.read_zip(archive, budget)), {}
        state, metadata = read_npz(archive)
        return without_prefixes(state), metadata
    if data.startswith(b"\x80"):
        return network_state(torch_files.read_pickle(data, budget)), {}
    if data.startswith(b"MATLAB 5.0"):
        return dict(read_mat(data, budget)), {}
    raise InputError(next(text for start, text in _MISTAKEN if data.lstrip().startswith(start)))


def _read_safetensors(data: bytes) -> tuple[State, dict[str, str]]:
    tensors = dict(safetensors.deserialize(data))  # which checks all sizes
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size], object_pairs_hook=_unique)
    metadata = header.pop("__metadata__", {})
    state: State = {}
    for name in header:
        tensor = tensors[name]
        if tensor["dtype"] not in _SAFETENSORS:
            raise InputError(f"holds a tensor of dtype {tensor['dtype']}; save it as float32")
        values = np.frombuffer(tensor["data"], np.dtype(_SAFETENSORS[tensor["dtype"]]))
        state[name] = values.reshape(tensor["shape"])
    return without_prefixes(state), metadata


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("its header has two entries of one name")
    return entries


def write_state(
    path: str | os.PathLike[str], state: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes tensors by their names: whole, or nothing at all.

    Args:
      path: .safetensors, .npz, .pth or .pt; the last two hold a bare state dict, without the
        metadata, as toolboxes expect it.

    Raises:
      InputError: for another suffix, or a place that cannot be written.
    """
    path = Path(path)
    data = io.BytesIO()
    match path.suffix.lower():
        case ".safetensors":
            # The library takes the bytes as they lie.
            arrays = {key: np.asarray(value, order="C") for key, value in state.items()}
            data.write(safetensors.numpy.save(arrays, dict(metadata) or None))
        case ".npz":
            write_npz(data, state, metadata)
        case ".pth" | ".pt":
            torch_files.write_torch(data, state)
        case suffix:
            raise InputError(
                f"{path}: unknown suffix '{suffix}' of weights; use .safetensors, .npz or .pth"
            )
    with replacing(path) as temporary:
        temporary.write_bytes(data.getvalue())
