"""Blur kernels from files."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.degradations.blurs import Kernels
from jaxsr.errors import InputError

_PICTURES = (".png", ".bmp", ".tif", ".tiff")


def read_kernels(path: str) -> Kernels:
    """All kernels of a file: .npy, .npz, .mat, .json, or a gray picture.

    Arrays of two axes are kernels; of three, several, along the first axis (in .mat the last).

    Raises:
      InputError: if it cannot be read or holds anything else.
    """
    kind = Path(path).suffix.lower()
    try:
        if kind in _PICTURES:
            arrays = [_picture(path)]
        elif kind == ".json":
            arrays = _of_json(json.loads(Path(path).read_text("utf-8")))
        elif kind == ".npy":
            arrays = [np.load(path, allow_pickle=False)]
        elif kind in (".npz", ".mat"):
            arrays = _named(path, last=kind == ".mat")
        else:
            known = ", ".join((".npy", ".npz", ".mat", ".json", *_PICTURES))
            raise InputError(f"{path}: kernels are read from {known}")
        kernels = [_rows(k) for a in arrays for k in (a if a.ndim == 3 else [a])]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no kernels: {error}") from None
    if not kernels:
        raise InputError(f"{path}: holds no kernels")
    return tuple(kernels)


def _rows(kernel: np.ndarray) -> tuple[tuple[float, ...], ...]:
    if kernel.ndim != 2 or kernel.dtype.kind not in "biuf" or not max(kernel.shape) < 128:
        raise ValueError(
            f"expected arrays of two axes below 128, got {kernel.dtype} of shape {kernel.shape}"
        )
    return tuple(tuple(float(v) for v in row) for row in kernel)


def _picture(path: str) -> np.ndarray:
    from jaxsr.image.io import read_image

    return read_image(path).pixels.astype(np.float64).mean(axis=-1)


def _of_json(value: Any) -> list[np.ndarray]:
    """One kernel as rows, or a list of kernels of any sizes."""
    several = isinstance(value, list) and value and np.ndim(value[0]) == 2
    return [np.asarray(k) for k in (value if several else [value])]


def _named(path: str, *, last: bool) -> list[np.ndarray]:
    """The arrays of an .npz or .mat file, those in cells too; `last`: several along that axis."""
    from jaxsr.interop.files import read_state

    found: list[np.ndarray] = []
    for value in read_state(path)[0].values():
        cells = list(value.ravel()) if value.dtype == object else [value]
        found += [np.moveaxis(c, -1, 0) if last and c.ndim == 3 else c for c in cells]
    return found
