"""Everything a run needs to go on, as one pytree."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.training.config import GuardConfig
from jaxsr.training.guard import create_guard


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """The state of a supervised run, or of the generator of an adversarial one; `step` is also the
    position in the data."""

    step: jax.Array  # int32 scalar: updates done
    params: Any
    batch_stats: Any  # running means and variances of batch norms, or {}
    opt_state: Any
    ema: Any  # averaged parameters, or {} where no average is kept
    rng: jax.Array  # typed key; step k uses fold_in(rng, k)
    guard: dict[str, jax.Array] = field(default_factory=dict)  # see `jaxsr.training.guard`


def create_state(
    model: Any,
    optimizer: optax.GradientTransformation,
    key: jax.Array,
    *,
    ema: bool,
    guard: GuardConfig | None = None,
) -> TrainState:
    """A fresh state."""
    init_key, rng = jax.random.split(key)
    variables = initialised(model, init_key, _probe(model))
    params = variables["params"]
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer.init(params),
        ema=jax.tree.map(jnp.copy, params) if ema else {},
        rng=rng,
        guard=create_guard(guard or GuardConfig()),
    )


def initialised(module: Any, key: jax.Array, probe: Any) -> Any:
    """The variables of a module for an input.

    Runs the initialisers one by one: compiled as one program, as `jax.jit(module.init)` would be,
    they take minutes of compilation on a CPU.
    """
    # The default generator takes XLA's CPU compiler a second for every shape of parameter.
    words = jax.random.bits(key, (4,))
    return module.init(jax.random.wrap_key_data(words, impl="rbg"), probe)


def shapes(model: Any) -> dict[str, Any]:
    """The variables of a network as `jax.ShapeDtypeStruct`s, without making them."""
    found = jax.eval_shape(model.init, jax.random.key(0, impl="rbg"), _probe(model))
    return {name: found[name] for name in ("params", "batch_stats") if name in found}


def supervises(model: Any) -> bool:
    """Whether a network hands out outputs to supervise besides SR."""

    def outputs(variables: Any) -> Any:
        return model.apply(variables, _probe(model), mutable=["supervised"])[1]

    return bool(jax.tree.leaves(jax.eval_shape(outputs, shapes(model))))


def _probe(model: Any) -> jax.Array:
    return jnp.zeros((1, 8, 8, 1 if model.colour == "y" else 3))


def evaluated_variables(state: TrainState) -> dict[str, Any]:
    """The variables to evaluate and to ship: the averaged parameters where there are any."""
    stats = {"batch_stats": state.batch_stats} if state.batch_stats else {}
    return {"params": state.ema or state.params} | stats
