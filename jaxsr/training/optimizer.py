"""From `OptimizerConfig` to an optax transformation, whose rate is a function of the global step.

Only the moments of Adam and the velocity of SGD are state; clipping, decay and rates may change
when a run goes on.
"""

import re
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.errors import InputError
from jaxsr.models.multiscale import head_scale
from jaxsr.training.config import OptimizerConfig


def make_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """The learning rate as a function of the step, over a run of `steps` updates."""
    peak, warmup = config.learning_rate, config.warmup
    if config.schedule == "cosine":
        main = _cosine(config, max(1, steps - warmup))
    elif config.schedule == "step":
        main = _falling(config)
    else:
        main = optax.constant_schedule(peak)
    if warmup == 0:
        return main
    return optax.join_schedules([optax.linear_schedule(0.0, peak, warmup), main], [warmup])


def _cosine(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """From the peak to `end_rate`, once or again and again (SGDR, Loshchilov and Hutter 2017,
    https://arxiv.org/abs/1608.03983)."""
    period = config.restart_every or steps
    floor = config.end_rate / config.learning_rate
    once = optax.cosine_decay_schedule(config.learning_rate, period, floor)
    if not config.restart_every:
        return once
    return lambda step: once(jnp.asarray(step) % period)


def _falling(config: OptimizerConfig) -> optax.Schedule:
    """Times `decay_factor` every `decay_every` steps, or at the milestones."""
    # Milestones are steps of the run, and the schedule begins after the warm-up.
    milestones = jnp.asarray([m - config.warmup for m in config.milestones])

    def rate(step: Any) -> jax.Array:
        falls = step // config.decay_every if config.decay_every else jnp.sum(milestones <= step)
        return jnp.maximum(config.end_rate, config.learning_rate * config.decay_factor**falls)

    return rate


def make_optimizer(
    config: OptimizerConfig, steps: int, field: str = "optimizer"
) -> optax.GradientTransformationExtraArgs:
    """The update rule, for parameters in a dict by top-level submodule; of `config.FIELD`.

    `update(grads, state, params, step=..., scales=...)` takes the number of updates done and the
    scales that the gradient is of: heads of other scales (see `jaxsr.models.multiscale`) stay as
    they are, and so does their state, with a count of updates of its own.

    * Adam: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, with L2 decay as in
      `torch.optim.Adam`.
    * SGD: v = momentum * v + gradient, parameter -= rate * v, as PyTorch has it (Caffe's v holds
      the rate: a fall of it shows there with a delay).
    * The adjustable clipping of Kim et al. 2016 (VDSR, https://arxiv.org/abs/1511.04587) keeps each
      entry of the gradient within theta / rate; that of DRRN's and MemNet's authors, in Caffe,
      keeps the global norm within it.

    Raises:
      InputError: from `init`, if a pattern of `rates` is in no parameter's path.
    """
    schedule = make_schedule(config, steps)
    rule: Any = optax.trace(config.momentum)
    if config.name == "adam":
        rule = optax.scale_by_adam(config.b1, config.b2, config.eps)

    def init(params: Any) -> dict[str, Any]:
        _check_rates(config, params, field)
        return {head: rule.init(part) for head, part in _by_head(params).items()}

    def update(
        grads: Any, state: Any, params: Any, *, step: jax.Array, scales: tuple[int, ...]
    ) -> tuple[Any, Any]:
        rate = jnp.asarray(schedule(step))
        grads = _clip(config, grads, rate)
        if config.weight_decay:
            grads = jax.tree.map(lambda g, p: g + config.weight_decay * p, grads, params)
        updates, new = {}, dict(state)
        for head, part in _by_head(grads).items():
            if head == _SHARED or int(head[1:]) in scales:
                part, new[head] = rule.update(part, state[head])
            else:
                part = jax.tree.map(jnp.zeros_like, part)
            updates |= part
        return jax.tree.map_with_path(
            lambda path, u: -rate * _factor(config, _name(path)) * u, updates
        ), new

    return optax.GradientTransformationExtraArgs(
        init,
        update,  # pyright: ignore[reportArgumentType] optax types no named arguments
    )


_SHARED = "shared"


def _by_head(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Submodules that serve all scales together, the others by scale: "x2", "x3"..."""
    parts: dict[str, dict[str, Any]] = {}
    for name, part in tree.items():
        scale = head_scale(name)
        parts.setdefault(_SHARED if scale is None else f"x{scale}", {})[name] = part
    return parts


def _clip(config: OptimizerConfig, grads: Any, rate: jax.Array) -> Any:
    if config.clip_norm:
        grads = _shortened(grads, config.clip_norm)
    if config.adjustable_clip_norm:
        grads = _shortened(grads, config.adjustable_clip_norm / rate)
    if config.clip_value:
        grads = _within(grads, config.clip_value)
    if config.adjustable_clip:
        grads = _within(grads, config.adjustable_clip / rate)
    return grads


def _shortened(grads: Any, norm: Any) -> Any:
    return optax.clip_by_global_norm(norm).update(grads, optax.EmptyState())[0]


def _within(grads: Any, bound: Any) -> Any:
    return jax.tree.map(lambda g: jnp.clip(g, -bound, bound), grads)


def _factor(config: OptimizerConfig, name: str) -> float:
    """The layer's own factor of the learning rate."""
    return next((f for pattern, f in config.rates.items() if re.search(pattern, name)), 1.0)


def _check_rates(config: OptimizerConfig, params: Any, field: str) -> None:
    names = [_name(path) for path, _ in jax.tree.leaves_with_path(params)]
    for pattern in config.rates:
        if not any(re.search(pattern, name) for name in names):
            raise InputError(
                f"config.{field}.rates.{pattern}: no parameter has it in its path; "
                f"they are such as {names[0]}"
            )


def _name(path: tuple[Any, ...]) -> str:
    return "/".join(str(entry.key) for entry in path)
