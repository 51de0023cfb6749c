"""From `OptimizerConfig` to optax."""

import optax

from jaxsr.training.config import OptimizerConfig


def make_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """The learning rate as a function of the step, over a run of `steps` updates."""
    peak, rest = config.learning_rate, max(1, steps - config.warmup)
    if config.schedule == "cosine":
        main = optax.cosine_decay_schedule(peak, rest)
    elif config.schedule == "step":
        main = optax.exponential_decay(peak, config.decay_every, 0.5, staircase=True)
    else:
        main = optax.constant_schedule(peak)
    if config.warmup == 0:
        return main
    return optax.join_schedules(
        [optax.linear_schedule(0.0, peak, config.warmup), main], [config.warmup]
    )


def make_optimizer(config: OptimizerConfig, steps: int) -> optax.GradientTransformation:
    """Adam on the schedule, after clipping by global norm where the config asks for it."""
    adam = optax.adam(make_schedule(config, steps), b1=config.b1, b2=config.b2, eps=config.eps)
    # Both branches have a state of one shape, so that clipping can change when a run goes on.
    clip = optax.clip_by_global_norm(config.clip_norm) if config.clip_norm else optax.identity()
    return optax.chain(clip, adam)
