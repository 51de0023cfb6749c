"""The supervised train step: a pure function `(state, hr) -> (state, metrics)`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.degradations import Degradation
from jaxsr.losses import Loss
from jaxsr.metrics.protocol import Protocol
from jaxsr.training.state import TrainState

Metrics = dict[str, jax.Array]
TrainStep = Callable[[TrainState, jax.Array], tuple[TrainState, Metrics]]


def make_train_step(
    model: Any,
    optimizer: optax.GradientTransformation,
    loss: Loss,
    protocol: Protocol,
    degrade: Degradation,
    ema_decay: float,
) -> TrainStep:
    """Builds the step for uint8 HR patches [N, P, P, 3]; LR is made inside it.

    Pure and independent of devices: `jax.jit` it over a batch split on any mesh, or map it.
    Its metrics are scalars: `loss`, `psnr` (of all channels, unrounded) and `grad_norm`.
    """

    def step(state: TrainState, hr: jax.Array) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(state.rng, state.step)
        lr, target = protocol.pair(degrade, key, hr)

        def objective(params: Any) -> tuple[jax.Array, jax.Array]:
            sr = model.apply({"params": params}, lr)
            return loss(sr, target), jnp.mean(jnp.square(sr - target))

        (value, mse), grads = jax.value_and_grad(objective, has_aux=True)(state.params)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        new = TrainState(
            step=state.step + 1,
            params=params,
            opt_state=opt_state,
            ema=_average(state.ema, params, state.step, ema_decay) if ema_decay else state.ema,
            rng=state.rng,
        )
        metrics = {
            "loss": value,
            "psnr": -10.0 * jnp.log10(mse),
            "grad_norm": optax.tree.norm(grads),
        }
        return new, metrics

    return step


def _average(ema: Any, params: Any, step: jax.Array, decay: float) -> Any:
    """Exponential moving average; young ones forget the initialisation faster."""
    decay_now = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda e, p: e + (1.0 - decay_now) * (p - e), ema, params)
