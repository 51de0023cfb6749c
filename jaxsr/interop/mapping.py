"""From a file's tensors to a model's variables and back, by a layout."""

import functools
import math
import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.interop.layout import Layout, State

# Parameter of jaxsr's layer -> (name in the file, axes of the file's tensor).
_AXES = {
    ("kernel", 4): ("weight", (3, 2, 0, 1)),
    ("kernel", 2): ("weight", (1, 0)),
    ("kernel_transposed", 4): ("weight", (2, 3, 0, 1)),
    ("bias", 1): ("bias", (0,)),
    ("scale", 1): ("weight", (0,)),
    ("slope", 1): ("weight", (0,)),
    ("mean", 1): ("running_mean", (0,)),
    ("var", 1): ("running_var", (0,)),
}


_MOST_LAYERS = 2500  # calls of one; the largest network, RCAN, makes a thousand


@functools.lru_cache(maxsize=4)
def variable_shapes(model: Any) -> dict[str, Any]:
    """The tree of `model.init`'s variables as `jax.ShapeDtypeStruct`s: nothing is computed.

    Raises:
      InputError: for a network of so many layers that tracing it would take for ever.
    """
    channels = 1 if model.colour == "y" else 3
    probe = jax.ShapeDtypeStruct((1, 16, 16, channels), jnp.float32)
    layers = 0

    def count(call: Any, arguments: Any, named: Any, context: Any) -> Any:
        nonlocal layers
        del context
        layers += 1
        if layers > _MOST_LAYERS:
            raise InputError(f"{_kind(model)} would have more than {_MOST_LAYERS} layers")
        return call(*arguments, **named)

    with nn.intercept_methods(count):
        shapes = jax.eval_shape(model.init, jax.random.key(0, impl="rbg"), probe)
    return {name: tree for name, tree in shapes.items() if name in ("params", "batch_stats")}


def from_file(layout: Layout, model: Any, state: State, source: str) -> dict[str, Any]:
    """The variables of `model` from tensors named as `layout` names them, float32.

    Args:
      source: the file, for messages.

    Raises:
      InputError: naming the tensor that is missing, superfluous, of a wrong shape, not finite,
        or that contradicts what the model holds as a constant.
    """
    tensors = _tensors(layout, model, variable_shapes(model))
    used: set[str] = set()

    def read(path: str, spec: jax.ShapeDtypeStruct) -> np.ndarray:
        key, axes = tensors[path]
        used.add(key)
        # The file's shape: that of axis axes[i] of ours at place i.
        expected = tuple(spec.shape[axis] for axis in axes)
        if key not in state:
            raise InputError(f"{source}: the tensor '{key}' of shape {expected} is missing")
        value = np.asarray(state[key])
        if value.shape != expected and not (value.size == math.prod(expected) == 1):
            raise InputError(
                f"{source}: tensor '{key}' has shape {value.shape}; {_kind(model)} needs {expected}"
            )
        if not np.issubdtype(value.dtype, np.number) and value.dtype.name != "bfloat16":
            raise InputError(f"{source}: tensor '{key}' holds {value.dtype}, not numbers")
        with np.errstate(over="ignore"):  # infinity, which is refused below
            value = value.reshape(expected).astype(np.float32)
        if not np.isfinite(value).all():
            raise InputError(f"{source}: tensor '{key}' holds NaN or infinity; the file is damaged")
        return np.ascontiguousarray(value.transpose(np.argsort(axes)))

    variables = _map_leaves(read, variable_shapes(model))
    fixed = layout.fixed(model)
    for key in sorted(set(state) - used):
        if key in fixed:
            value, constant = state[key], fixed[key]
            same = np.shape(value) == np.shape(constant)
            if not (same and np.allclose(value, constant, rtol=1e-3, atol=1e-4)):
                raise InputError(f"{source}: tensor '{key}' is not {_kind(model)}'s constant")
        elif not any(re.fullmatch(pattern, key) for pattern in layout.ignored):
            raise InputError(
                f"{source}: {_kind(model)} has no use for the tensor '{key}' "
                f"of shape {np.shape(state[key])}"
            )
    return variables


def file_keys(layout: Layout, model: Any) -> set[str]:
    """What the layout calls the tensors of `model`.

    Raises:
      KeyError, AttributeError or TypeError: if the layout is of another architecture.
    """
    return {key for key, _ in _tensors(layout, model, variable_shapes(model)).values()}


def to_file(layout: Layout, model: Any, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors of `variables` under the layout's names, as the toolbox would save them."""
    tensors = _tensors(layout, model, variables)
    state: dict[str, np.ndarray] = {}

    def write(path: str, value: Any) -> None:
        key, axes = tensors[path]
        state[key] = np.ascontiguousarray(np.asarray(value).transpose(axes))

    _map_leaves(write, variables)
    return state | dict(layout.fixed(model))


def _kind(model: Any) -> str:
    return f"{type(model).__name__} x{model.scale}"


def _tensors(
    layout: Layout, model: Any, tree: Mapping[str, Any]
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Path of each leaf (with its collection) -> the file's key and axes."""
    names = layout.names(model)
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(path: str, leaf: Any) -> None:
        inside = path.partition("/")[2]  # without the collection
        layer, _, parameter = inside.rpartition("/")
        if inside in names:
            tensors[path] = (names[inside], tuple(range(len(leaf.shape))))
            return
        kind = (parameter, len(leaf.shape))
        if layer not in names or kind not in _AXES:
            raise KeyError(f"{layout.toolbox}'s layout of {_kind(model)} does not name {inside}")
        suffix, axes = _AXES[kind]
        tensors[path] = (f"{names[layer]}.{suffix}", axes)

    _map_leaves(add, tree)
    return tensors


def _map_leaves(function: Any, tree: Mapping[str, Any]) -> Any:
    """`function(path, leaf)` for every leaf, as a tree of nested dicts."""

    def walk(node: Any, path: str) -> Any:
        if isinstance(node, Mapping):
            return {
                key: walk(value, f"{path}/{key}" if path else key) for key, value in node.items()
            }
        return function(path, node)

    return walk(tree, "")


def paths(model: Any) -> list[str]:
    """The paths of all of a model's variables, without their collections."""
    found: list[str] = []
    _map_leaves(lambda path, leaf: found.append(path.partition("/")[2]), variable_shapes(model))
    return found
