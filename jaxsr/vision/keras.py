"""Keras' HDF5 files of weights."""

import importlib
import os
from typing import Any

import numpy as np

from jaxsr.errors import InputError


def read_keras(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The kernels and biases of a file that Keras' `save_weights` wrote.

    Args:
      path: an .h5 file: one group per layer, with its arrays in `weight_names`' order: first the
        kernel [h, w, in, out], then the bias.

    Returns:
      {"block1_conv1/kernel": ..., "block1_conv1/bias": ...}.

    Raises:
      InputError: without the package h5py, or for a file that it cannot read.
    """
    try:
        h5py: Any = importlib.import_module("h5py")  # no part of jaxsr's installation
    except ImportError:
        raise InputError(f"{path}: reading HDF5 needs h5py; `pip install h5py`") from None
    state: dict[str, np.ndarray] = {}
    try:
        with h5py.File(path, "r") as file:
            layers = file.get("model_weights", file)
            for layer, group in layers.items():
                names = group.attrs.get("weight_names", ())
                for kind, name in zip(("kernel", "bias"), names, strict=False):
                    state[f"{layer}/{kind}"] = np.asarray(group[name])
    except (OSError, KeyError, AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: is not a file of Keras' weights ({reason})") from None
    return state
