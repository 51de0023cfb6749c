"""Parameters and Mult-Adds of a model, counted from the module itself, from shapes alone.

Tracing every layer of thirty networks at every scale would take a minute. Networks repeat a few
modules many times, so each kind of submodule is traced once per input shape: a second one with
equal fields costs as much, and is skipped.

Mult-Adds count, per output pixel of 1280x720, what convolutions and matrix products multiply:

* a transposed convolution at its input's resolution, where its taps meet pixels (the CARN paper's
  table counts FSRCNN's at the output's, scale^2 times as much);
* layers on globally pooled features (one pixel) not at all: they cost nothing per pixel;
* interpolation of the image not at all, as in the literature.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.core.scope import Scope
from jax import lax

from jaxsr.models.multiscale import other_scale

# LR pixels a side: divisible by windows of 8 and large beside the borders of strided layers.
_PROBE = 240


@dataclass(frozen=True)
class _Cost:
    """What one call of a module takes and gives."""

    parameters: int
    mult_adds: int
    out: Any  # pytree of ShapeDtypeStruct


def count_parameters(model: Any) -> int:
    """The number of scalars in the parameters, without initialising them."""
    return _measure(model).parameters


def count_mult_adds(model: Any, output: tuple[int, int] = (720, 1280)) -> int:
    """Multiply-adds for an output of (H, W), the literature's 1280x720.

    Counted per LR pixel and scaled up, so that x3 may have a fractional LR size, as in the
    literature. Luma networks are counted on one channel.
    """
    per_pixel = _measure(model).mult_adds / _PROBE**2
    return round(per_pixel * output[0] * output[1] / model.scale**2)


def _measure(model: Any) -> _Cost:
    channels = 1 if model.colour == "y" else 3
    probe = jax.ShapeDtypeStruct((1, _PROBE, _PROBE, channels), jnp.float32)
    return _cost(model, (probe,), {})


_known: dict[Any, _Cost] = {}


def _cost(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Cost:
    """The cost of `module(*args, **kwargs)` as a module of its own; known ones are looked up."""
    key = _key(module, args, kwargs)
    if key is not None and key in _known:
        return _known[key]
    module = module.clone(parent=None)
    leaves, tree = jax.tree.flatten((args, kwargs))
    arrays = [leaf for leaf in leaves if _is_array(leaf)]
    inner: dict[tuple[str, ...], int] = {}  # parameters of submodules; shared ones count once
    mult_adds = 0
    inside = False  # a submodule is being counted: what is called now is its business

    def intercept(call: Callable[..., Any], a: Any, k: Any, context: Any) -> Any:
        nonlocal mult_adds, inside
        if inside or context.method_name != "__call__" or not context.module.path:
            return call(*a, **k)
        inside = True
        cost = _cost(context.module, *_abstract((a, k)))
        inside = False
        inner[context.module.path] = cost.parameters
        if not other_scale(context.module.path[0], getattr(module, "scale", 0)):
            mult_adds += cost.mult_adds
        return jax.tree.map(lambda spec: lax.empty(spec.shape, spec.dtype), cost.out)

    def run(*values: jax.Array) -> Any:
        supply = iter(values)
        a, k = tree.unflatten([next(supply) if _is_array(leaf) else leaf for leaf in leaves])
        with nn.intercept_methods(intercept), _without_initializers() as own:
            out, _ = module.init_with_output(jax.random.key(0, impl="rbg"), *a, **k)
        inner.update(own)
        return out

    jaxpr, out = jax.make_jaxpr(run, return_shape=True)(*arrays)
    mult_adds += _products(jaxpr.jaxpr)
    cost = _Cost(sum(inner.values()), mult_adds, out)
    if key is not None:
        _known[key] = cost
    return cost


@contextlib.contextmanager
def _without_initializers() -> Iterator[dict[tuple[str, ...], int]]:
    """Makes parameters without values, for their shapes; gives the size of each by its path.

    Tracing the random numbers of the initialisers would take as long as all the rest.
    """
    sizes: dict[tuple[str, ...], int] = {}

    def param(scope: Scope, name: str, init: Any, *args: Any, **kwargs: Any) -> Any:
        del kwargs
        value = lax.empty(tuple(args[0]), jnp.float32) if args else init(None)
        sizes[*scope.path, name] = value.size
        return value

    with mock.patch.object(Scope, "param", param):
        yield sizes


def _key(module: nn.Module, args: Any, kwargs: Any) -> Any:
    """What the cost depends on; None if it holds something that cannot be compared."""
    fields = tuple(
        getattr(module, field.name)
        for field in dataclasses.fields(module)
        if field.name not in ("parent", "name")
    )
    leaves, tree = jax.tree.flatten((args, kwargs))
    shapes = tuple((x.shape, str(x.dtype)) if _is_array(x) else x for x in leaves)
    key = (type(module), fields, tree, shapes)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _abstract(tree: Any) -> Any:
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype) if _is_array(x) else x, tree
    )


def _products(jaxpr: Any) -> int:
    """Multiply-adds of the convolutions and matrix products."""
    total = 0
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        if params.get("name") == "_imresize":  # a compiled function by that name
            continue
        out = equation.outvars[0].aval.shape
        if name == "conv_general_dilated":
            numbers = params["dimension_numbers"]
            kernel = equation.invars[1].aval.shape
            pixels = math.prod(out[axis] for axis in numbers.out_spec[2:])
            if pixels > 1:
                taps = math.prod(kernel) // kernel[numbers.rhs_spec[0]]
                total += taps * math.prod(out) // math.prod(params["lhs_dilation"])
        elif name == "dot_general":
            (axes, _), _ = params["dimension_numbers"]
            total += math.prod(out) * math.prod(equation.invars[0].aval.shape[a] for a in axes)
        for value in params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                total += _products(inner)
    return total
