"""The supervised train step: a pure function `(state, batch) -> (state, metrics)`."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from jaxsr.data.batches import Batch
from jaxsr.losses import Loss, WeightedSum, as_weighted_sum
from jaxsr.training.config import GuardConfig
from jaxsr.training.guard import accept, choose
from jaxsr.training.pairing import Pairing
from jaxsr.training.state import TrainState
from jaxsr.training.supervision import Supervision

Metrics = dict[str, jax.Array]
TrainStep = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]


def make_train_step(
    models: Sequence[Any],
    pairings: Sequence[Pairing],
    optimizer: optax.GradientTransformation,
    loss: Loss,
    ema_decay: float,
    supervision: Supervision | None = None,
    guard: GuardConfig | None = None,
) -> Partial:
    """Builds the step for a `Batch` of patches; LR is made inside it.

    Pure and independent of devices: `jax.jit` it over a batch split on any mesh, or map it.
    Its metrics are scalars: `loss`, `psnr` (of all channels, unrounded), `grad_norm`, `skipped`:
    1 for a step whose loss or gradient is not finite, or an outlier: all but the step's number then
    stays as it is. Of a `WeightedSum` also each term, before its weight, as `loss/NAME`.

    Args:
      models: one network, or one at several scales, with the same parameters: the batch is then
        split evenly between them, and their losses are averaged. Batch norms see one part after
        the other, and take in the statistics of each.
      pairings: for each of them, by its scale: what makes LR and the loss's HR of a batch.
      supervision: of the outputs besides SR; None leaves them out.
      guard: which updates are skipped; None stands for the default.

    Returns:
      The `TrainStep`, as a pytree: its leaves are the parameters of the loss, if it has any, for
      whoever wants them to be an argument of the compiled program.
    """
    scales, guarded = tuple(model.scale for model in models), guard or GuardConfig()
    update = optax.with_extra_args_support(optimizer).update

    def step(loss: WeightedSum, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        keys, step_key = draw_keys(state, batch)
        # Every n-th patch rather than n blocks: each device then has some of every scale.
        parts = jax.tree.map(lambda x: x.reshape(-1, len(models), *x.shape[1:]), (keys, batch))
        pairs = [
            pair(*jax.tree.map(lambda x, i=i: x[:, i], parts)) for i, pair in enumerate(pairings)
        ]

        def objective(params: Any) -> tuple[jax.Array, tuple[jax.Array, jax.Array, Any]]:
            terms, mse = jnp.zeros(len(loss.terms)), jnp.zeros(())
            stats = state.batch_stats
            for i, (model, (lr, target)) in enumerate(zip(models, pairs, strict=True)):
                model_key = jax.random.fold_in(step_key, i)
                variables = {"params": params, "batch_stats": stats}
                supervised = supervision is not None
                sr, outputs, stats = apply_training(model, variables, lr, model_key, supervised)
                if supervision is None:
                    values = loss.each(sr, target)
                else:  # linear in the loss, so that it can take all terms at once
                    values = supervision(loss.each, sr, target, outputs, state.step)
                terms += values / len(models)
                mse += jnp.mean(jnp.square(sr - target)) / len(models)
            return loss.total(terms), (terms, mse, stats)

        results, grads = jax.value_and_grad(objective, has_aux=True)(state.params)
        value, (terms, mse, batch_stats) = results
        grad_norm = optax.tree.norm(grads)
        accepted, guard = accept(guarded, state.guard, value, grad_norm)
        new = updated(state, grads, batch_stats, update, scales, ema_decay)
        new = dataclasses.replace(new, guard=guard)
        metrics = {
            "loss": value,
            "psnr": -10.0 * jnp.log10(mse),
            "grad_norm": grad_norm,
            "skipped": 1.0 - accepted,
        }
        return kept(accepted, new, state), metrics | loss.named(terms)

    return Partial(step, as_weighted_sum(loss))


def draw_keys(state: TrainState, batch: Batch) -> tuple[jax.Array, jax.Array]:
    """A key for each patch, a function of its record alone, and one for the step."""
    pair_key, step_key = jax.random.split(state.rng)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(pair_key, batch.record)
    return keys, jax.random.fold_in(step_key, state.step)


def apply_training(
    model: Any, variables: dict[str, Any], lr: jax.Array, key: jax.Array, supervised: bool
) -> tuple[jax.Array, list[jax.Array], Any]:
    """SR, the other supervised outputs and the batch statistics of one pass in training mode."""
    mode = {}
    if "train" in inspect.signature(type(model).__call__).parameters:
        mode = {"train": True, "rngs": {"dropout": key}}
    mutable = ["batch_stats", "supervised"] if supervised else ["batch_stats"]
    sr, changed = model.apply(variables, lr, mutable=mutable, **mode)
    outputs = jax.tree.leaves(changed.get("supervised", {}))
    return sr, outputs, changed.get("batch_stats", variables["batch_stats"])


def updated(
    state: TrainState,
    grads: Any,
    batch_stats: Any,
    update: Callable[..., tuple[Any, Any]],
    scales: tuple[int, ...],
    ema_decay: float,
) -> TrainState:
    """The state after one update by `update`, an optimiser's; its guard is left as it is."""
    updates, opt_state = update(
        grads, state.opt_state, state.params, step=state.step, scales=scales
    )
    params = optax.apply_updates(state.params, updates)
    return dataclasses.replace(
        state,
        step=state.step + 1,
        params=params,
        batch_stats=batch_stats,
        opt_state=opt_state,
        ema=_average(state.ema, params, state.step, ema_decay) if ema_decay else state.ema,
    )


def kept(accepted: jax.Array, new: TrainState, old: TrainState) -> TrainState:
    """The new state or, if the update is not accepted, the old one but for the step's number."""
    parts = ("params", "batch_stats", "opt_state", "ema")
    chosen = {name: choose(accepted, getattr(new, name), getattr(old, name)) for name in parts}
    return dataclasses.replace(new, **chosen)


def _average(ema: Any, params: Any, step: jax.Array, decay: float) -> Any:
    """Exponential moving average; young ones forget the initialisation faster."""
    decay_now = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda e, p: e + (1.0 - decay_now) * (p - e), ema, params)
