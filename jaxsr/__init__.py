"""jaxsr: single-image super-resolution in JAX and Flax.

    model = jaxsr.create_model("edsr_baseline", scale=4)
    variables = model.init(key, lr)
    sr = model.apply(variables, lr)            # NHWC float32 in [0, 1]

Names are loaded when they are first used, so that `import jaxsr` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxsr import (
        data,
        degradations,
        image,
        inference,
        interop,
        losses,
        metrics,
        models,
        training,
    )
    from jaxsr.errors import InputError
    from jaxsr.inference import upscale
    from jaxsr.loading import load_model, load_weights
    from jaxsr.models import create_model, model_names

_MODULES = (
    "data",
    "degradations",
    "image",
    "inference",
    "interop",
    "losses",
    "metrics",
    "models",
    "training",
)
_NAMES = {
    "InputError": "jaxsr.errors",
    "create_model": "jaxsr.models",
    "load_model": "jaxsr.loading",
    "load_weights": "jaxsr.loading",
    "model_names": "jaxsr.models",
    "upscale": "jaxsr.inference",
}

__all__ = [
    "InputError",
    "create_model",
    "data",
    "degradations",
    "image",
    "inference",
    "interop",
    "load_model",
    "load_weights",
    "losses",
    "metrics",
    "model_names",
    "models",
    "training",
    "upscale",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"jaxsr.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'jaxsr' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
