"""How a toolbox names the tensors of a network: the one table that import and export share.

A layout pairs jaxsr's layers with the file's: `names(model)` maps a path in the variables, such
as "body/block0/conv1", to the file's name, such as "body.0.conv1". What is inside a layer follows
from the kind of its parameters:

    jaxsr                                  file (PyTorch)
    kernel             [h, w, in, out]     weight [out, in, h, w]
    kernel             [in, out]           weight [out, in]
    kernel_transposed  [h, w, in, out]     weight [in, out, h, w]
    bias                                   bias
    scale, slope       [C]                 weight [C]
    mean, var (batch statistics)           running_mean, running_var

A path that names a parameter itself, not a layer, is a tensor copied as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

State = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Found:
    """What the tensors say of the network.

    Attributes:
      model: its name in the registry.
      scales: the scales that they fit: one where they tell, several where they do not.
      args: fields of the module that differ from the registered model's, such as
        `{"blocks": 6}`.
    """

    model: str
    scales: tuple[int, ...]
    args: dict[str, Any] = field(default_factory=dict)


def _nothing(model: Any) -> State:
    del model
    return {}


@dataclass(frozen=True)
class Layout:
    """One toolbox's names for one architecture.

    Attributes:
      toolbox: whose names these are, such as "BasicSR".
      detect: `detect(state)` is what the state dict holds, or None if it is not of this layout.
        It gets arbitrary files: it must not assume any key before it has seen it.
      names: `names(model)`: {path in jaxsr's variables: name in the file}.
      fixed: `fixed(model)`: tensors that the toolbox also writes and the model holds as
        constants, such as a mean shift: written on export; on import they may be missing, but
        must be equal where present.
      ignored: regular expressions of keys without a meaning for the result; they match whole.
      convert: the file's tensors under PyTorch's names and axes, for files of other programs;
        such a layout is not written. `detect` and `names` see the converted ones.
    """

    toolbox: str
    detect: Callable[[State], Found | None]
    names: Callable[[Any], Mapping[str, str]]
    fixed: Callable[[Any], State] = _nothing
    ignored: tuple[str, ...] = ()
    convert: Callable[[State], State | None] | None = None


def shape(state: State, key: str) -> tuple[int, ...]:
    """The shape of a tensor, or () if there is none of that name."""
    return state[key].shape if key in state else ()


def count(state: State, pattern: str, *, start: int = 0, step: int = 1) -> int:
    """How many of `pattern.format(start)`, `pattern.format(start + step)`, ... there are.

    One that is missing between others is counted: so it is the one that is missed, not those
    behind it that are superfluous.
    """

    def there(n: int) -> bool:
        return pattern.format(start + n * step) in state

    n = 0
    while there(n) or there(n + 1):
        n += 1
    return n
