"""The files in configs/, for tests of what is in them."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.training import config as config_module
from jaxsr.training.config import TrainConfig, from_dict, load_config, to_dict
from jaxsr.vision import TRUNKS, weights

FILES = {p.stem: p for p in sorted((Path(__file__).parents[2] / "configs").glob("*.py"))}


@functools.cache
def variants(stem: str) -> dict[str, TrainConfig]:
    """All variants of a config file, by name."""
    found: dict[str, TrainConfig] = {}

    def keep(variant: str, known: dict[str, TrainConfig]) -> TrainConfig:
        found.update(known)
        return known[variant]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config_module, "choose", keep)
        load_config(str(FILES[stem]))
    return {name: from_dict(to_dict(config)) for name, config in found.items()}


@contextmanager
def zeros_for_missing_weights() -> Iterator[None]:
    """Fixed networks whose files are not on this machine have zeros: their shapes are all that
    matters where nothing is computed."""
    find = weights.loaded

    @functools.cache
    def loaded(name: str) -> dict[str, Any]:
        try:
            return find(name)
        except InputError:
            if name not in TRUNKS:
                raise
        shapes = {**TRUNKS[name].shapes, "mean": (3,), "std": (3,)}
        return {key: np.broadcast_to(np.float32(0), shape) for key, shape in shapes.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "loaded", loaded)
        yield
