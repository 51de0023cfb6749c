"""NumPy's .npz: arrays by name, without pickles."""

import io
import json
import math
import tokenize
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from jaxsr.interop.archive import Archive

_METADATA = "__metadata__"  # an array of one text: JSON


def read_npz(archive: Archive) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of an .npz file.

    Raises:
      ValueError: saying what is wrong.
    """
    arrays, metadata = {}, {}
    for member in archive.names:
        name = member.removesuffix(".npy")
        if name == member:
            continue
        value = _array(name, archive.read(member))
        if name == _METADATA:
            metadata = json.loads(str(value))
        elif value.dtype.kind not in "biuf":
            raise ValueError(f"its array {name[:80]!r} holds {value.dtype}, not numbers")
        else:
            arrays[name] = value
    if not isinstance(metadata, dict):
        raise ValueError("its metadata make no sense")
    return arrays, metadata


def _array(name: str, data: bytes) -> np.ndarray:
    # Not np.load: it allocates what the header claims.
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its array {name[:80]!r} is of an unknown version")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    try:
        shape, fortran, dtype = read(file)
    except (SyntaxError, tokenize.TokenError, TypeError):
        raise ValueError(f"its array {name[:80]!r} has a senseless header") from None
    if dtype.hasobject:
        raise ValueError(f"its array {name[:80]!r} holds Python objects, which are never run")
    raw = data[file.tell() :]
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"its array {name[:80]!r} of {len(raw)} bytes claims the shape {shape}")
    return np.ndarray(shape, dtype, raw, order="F" if fortran else "C")


def write_npz(
    file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes arrays, and the metadata as a text beside them if there are any."""
    text: dict[str, Any] = {_METADATA: np.array(json.dumps(dict(metadata)))} if metadata else {}
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in {**arrays, **text}.items():
            value = np.asarray(value)
            if value.dtype.name == "bfloat16":  # which NumPy would write as bytes of no kind
                value = value.astype(np.float32)
            member = io.BytesIO()
            np.lib.format.write_array(member, value, allow_pickle=False)
            # A fixed date: the same weights give the same file.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
