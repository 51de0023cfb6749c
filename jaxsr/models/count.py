"""Parameters and Mult-Adds of a model, counted from the module itself."""

import math
from typing import Any

import jax
import jax.numpy as jnp

_PROBE = 24  # LR pixels a side; only the cost per pixel matters


def count_parameters(model: Any) -> int:
    """The number of trainable scalars, without initialising them."""
    variables = jax.eval_shape(model.init, jax.random.key(0), _probe(model))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(variables.get("params", {})))


def count_mult_adds(model: Any, output: tuple[int, int] = (720, 1280)) -> int:
    """Multiply-adds of all convolutions for an output of (H, W), the literature's 1280x720.

    Counted per LR pixel on a small input and scaled up, so that x3 may have a fractional LR
    size, as in the literature. Luma networks are counted on one channel.
    """
    probe = _probe(model)
    variables = jax.eval_shape(model.init, jax.random.key(0), probe)
    jaxpr = jax.make_jaxpr(model.apply)(variables, probe)
    per_pixel = _convolutions(jaxpr.jaxpr) / _PROBE**2
    return round(per_pixel * output[0] * output[1] / model.scale**2)


def _probe(model: Any) -> jax.ShapeDtypeStruct:
    channels = 1 if model.colour == "y" else 3
    return jax.ShapeDtypeStruct((1, _PROBE, _PROBE, channels), jnp.float32)


def _convolutions(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval.shape
            layout = equation.params["dimension_numbers"].rhs_spec  # (out, in, *window)
            taps = math.prod(kernel) // kernel[layout[0]]
            total += taps * math.prod(equation.outvars[0].aval.shape)
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                total += _convolutions(inner)
    return total
