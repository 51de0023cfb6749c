"""From a config to the state of a run and the steps that it takes, supervised or adversarial."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
from jax.tree_util import Partial

from jaxsr.evaluation import degradation_of
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.training.adversarial import make_adversarial_step
from jaxsr.training.adversarial_state import (
    AdversarialState,
    Judge,
    create_adversarial_state,
)
from jaxsr.training.config import DataConfig, TrainConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.pairing import Pairing, make_pairing
from jaxsr.training.state import TrainState, create_state
from jaxsr.training.step import make_train_step
from jaxsr.training.supervision import get_supervision
from jaxsr.training.turns import Turn


def model_of(config: TrainConfig, scale: int | None = None) -> Any:
    """The network of a config, at its own scale or another."""
    return create_model(config.model, scale=scale or config.scale, **config.model_args)


def fresh_state(config: TrainConfig, judges: Mapping[str, Judge]) -> TrainState | AdversarialState:
    """The state before the first step, a function of the config's seed.

    Args:
      judges: the discriminators; without any the state is a `TrainState`.
    """
    key = jax.random.key(config.seed)
    optimizer = make_optimizer(config.optimizer, config.steps)
    state = create_state(model_of(config), optimizer, key, ema=config.ema > 0, guard=config.guard)
    if not judges:
        return state
    return create_adversarial_state(
        state,
        judges,
        _judge_optimizer(config),
        config.data.patch,
        jax.random.fold_in(key, 2),  # the generator's are split from it: 0 and 1
        lag=config.adversarial.lag > 0,
    )


def build_step(
    config: TrainConfig, judges: Mapping[str, Judge], scales: tuple[int, ...], turn: Turn
) -> Partial:
    """The train step of one kind of step: for these scales and, if adversarial, for this turn."""
    optimizer = make_optimizer(config.optimizer, config.steps)
    pairings = [_pairing(config, scale, config.data) for scale in scales]
    loss = get_loss(config.loss)
    if not judges:
        return make_train_step(
            [model_of(config, scale) for scale in scales],
            pairings,
            optimizer,
            loss,
            config.ema,
            get_supervision(config.supervision, config.anneal_steps),
            config.guard,
        )
    natural = None
    if config.data.sharpen:  # which is for the content loss alone
        unsharpened = dataclasses.replace(config.data, sharpen=False)
        natural = _pairing(config, config.scale, unsharpened)
    return make_adversarial_step(
        model_of(config),
        pairings[0],
        optimizer,
        loss,
        config.ema,
        judges,
        _judge_optimizer(config),
        config.adversarial,
        turn=turn,
        guard=config.guard,
        natural=natural,
    )


def _judge_optimizer(config: TrainConfig) -> Any:
    return make_optimizer(config.adversarial.optimizer, config.steps, "adversarial.optimizer")


def _pairing(config: TrainConfig, scale: int, data: DataConfig) -> Pairing:
    degrade = degradation_of(config.degradation, scale)
    return make_pairing(get_protocol(config.protocol), degrade, scale, data)
