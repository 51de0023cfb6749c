"""How LR is made from HR: a degradation is a pure function `(key, hr) -> lr`.

A degradation is a list of steps, plain data: a preset's name or your own (`spec`). `steps` and
`Pipeline` say how it is run; `presets` has the literature's.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

import jax

from jaxsr.degradations import presets
from jaxsr.degradations.pipeline import Pipeline
from jaxsr.degradations.presets import PRESETS
from jaxsr.degradations.spec import STEPS, Spec, build, find_spec, plain, read_spec

Degradation = Callable[[jax.Array, jax.Array], jax.Array]

__all__ = [
    "PRESETS",
    "STEPS",
    "Degradation",
    "Pipeline",
    "Spec",
    "bicubic",
    "find_spec",
    "get_degradation",
    "read_spec",
    "resolve",
]


def bicubic(scale: int, edge: str = "replicate") -> Pipeline:
    """MATLAB's antialiased bicubic `imresize`, the degradation of the literature ("BI").

    The default edge rule is the one that made the benchmarks' LR files. Bit-exact for uint8.
    """
    return get_degradation(presets.bicubic(scale, edge), scale)


def get_degradation(spec: Spec, scale: int) -> Pipeline:
    """The degradation of a preset's name or of a list of steps.

    The same object for the same steps, so that programs compiled for it are found again.

    Raises:
      InputError: naming what is unknown, or the step that makes no sense.
    """
    return _pipeline(json.dumps(resolve(spec, scale)), scale)


@functools.lru_cache(maxsize=16)
def _pipeline(steps: str, scale: int) -> Pipeline:
    made = build(json.loads(steps), scale)
    return Pipeline(made, plain(made), scale)


def resolve(spec: Spec, scale: int) -> list[dict[str, Any]]:
    """The spec as a list of steps with every field, ready for JSON.

    Files of kernels are replaced by their numbers, so that it is complete in itself; what is
    resolved already stays as it is.
    """
    return plain(build(spec, scale))
