"""Network interpolation and image interpolation: Wang et al. 2018, "ESRGAN: Enhanced
Super-Resolution Generative Adversarial Networks", section 3.4, https://arxiv.org/abs/1809.00219.

A is the network trained for PSNR, B the one that adversarial training made of it. Every tensor of
the network between them is (1 - alpha) A + alpha B; or the pictures that both give are mixed so.
The paper mixes parameters (its networks have no batch norms); here running means and variances are
mixed, too.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError

Loaded = tuple[Any, Mapping[str, Any], Mapping[str, Any]]  # module, variables, spec

# Fields that neither a tensor nor what it computes depends on; scales are compared by the specs.
_ELSEWHERE = ("dtype", "icnr", "remat", "parent", "name", "scale")


def check_alpha(alpha: float) -> None:
    """Raises `InputError` unless alpha is in [0, 1]: what lies beyond is not between A and B."""
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha {alpha:g}: give one from 0, which is A, to 1, which is B")


def interpolate_weights(a: Mapping[str, Any], b: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    """(1 - alpha) a + alpha b of every tensor; 0 and 1 give a and b themselves.

    Args:
      a, b: variables of one architecture: "params" and, if there are any, "batch_stats", float32.
      alpha: in [0, 1].

    Returns:
      The variables between, float32, rounded once: tensors that a and b share stay as they are.
    """
    check_alpha(alpha)
    if alpha in (0, 1):
        return dict(b if alpha else a)

    def mix(x: Any, y: Any) -> jax.Array:
        between = (1 - alpha) * np.asarray(x, np.float64) + alpha * np.asarray(y, np.float64)
        return jnp.asarray(between.astype(np.float32))

    return jax.tree.map(mix, dict(a), dict(b))


def interpolate_pixels(a: np.ndarray, b: np.ndarray, alpha: float) -> np.ndarray:
    """(1 - alpha) a + alpha b of every sample, rounded; 0 and 1 give a and b.

    Args:
      a, b: uint8 or uint16, of one shape and dtype.
      alpha: in [0, 1].
    """
    check_alpha(alpha)
    between = (1 - alpha) * a.astype(np.float64) + alpha * b.astype(np.float64)
    return np.floor(between + 0.5).astype(a.dtype)


def shared_network(a: Loaded, b: Loaded, names: tuple[str, str]) -> tuple[Any, dict[str, Any]]:
    """The module and the spec of the networks between a and b.

    Whether one was trained from the other, no tensor tells: of networks that were not, the mix is
    nonsense.

    Args:
      a, b: as `jaxsr.loading.load_model` gives them.
      names: what messages call them.

    Returns:
      The module, and `{"config": {"model", "scale", "model_args"}, "scales"}` of b (srgan and
      srresnet are one network) for the scales that both have.

    Raises:
      InputError: naming what differs: the network, the scale, or the sizes.
    """
    (module, _, spec), (other, _, others) = a, b
    scales = [scale for scale in spec["scales"] if scale in others["scales"]]
    one = type(module) is type(other)
    differ = [
        field.name
        for field in dataclasses.fields(other)
        if one
        and scales  # on which fields may depend
        and field.name not in _ELSEWHERE
        and getattr(module, field.name) != getattr(other, field.name)
    ]
    if not one or not scales or differ:
        raise InputError(
            f"{names[0]} holds {_described(module, spec, differ)}, {names[1]} "
            f"{_described(other, others, differ)}; only two of one architecture can be mixed"
        )
    scale = other.scale if other.scale in scales else scales[0]
    config = {
        "model": others["config"]["model"],
        "scale": scale,
        "model_args": others["config"]["model_args"],
    }
    return other.clone(scale=scale), {"config": config, "scales": scales}


def _described(module: Any, spec: Mapping[str, Any], fields: list[str]) -> str:
    """Such as "srresnet x4 with blocks 16"."""
    scales = "/".join(f"x{scale}" for scale in spec["scales"])
    sizes = ", ".join(f"{field} {getattr(module, field)}" for field in fields)
    return f"{spec['config']['model']} {scales}{' with ' if sizes else ''}{sizes}"
