"""The rules of discriminators, of the stage for PSNR and of the guard, checked as all others."""

import dataclasses
import math
import re
from typing import Any

import jax
import numpy as np

from jaxsr.errors import InputError
from jaxsr.losses import GAN_LOSSES
from jaxsr.metrics import get_protocol
from jaxsr.training.adversarial_state import Judge, make_judges
from jaxsr.training.config import TrainConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.rules_optimizer import Rule, one_of, optimizer_rules
from jaxsr.training.state import shapes


def stage_rules(config: TrainConfig) -> list[Rule]:
    """Of `config.pretrain` and `config.guard`."""
    before, guard, where = config.pretrain, config.guard, "config.pretrain"
    rules = [
        (before.steps >= 0, f"{where}.steps: must not be negative"),
        (
            before.patch >= 0 and before.patch % config.scale == 0,
            f"{where}.patch: {before.patch} is no multiple of config.scale {config.scale}",
        ),
        (
            not (before.steps and config.data.grow_at),
            f"{where}.steps: config.data.grow_to belongs to a run of one stage",
        ),
        (guard.skips > 0, f"config.guard.skips: must be positive, got {guard.skips}"),
        (
            guard.spike == 0 or 1 < guard.spike < math.inf,
            f"config.guard.spike: {guard.spike} is neither 0 nor above 1",
        ),
    ]
    if before.steps:
        rules += optimizer_rules("pretrain.optimizer", before.optimizer, before.steps)
    return rules


def adversarial_rules(config: TrainConfig, model: Any) -> list[Rule]:
    """Of `config.adversarial`, for the generator `model`."""
    adversarial, where = config.adversarial, "config.adversarial"
    if not adversarial.discriminators:
        return []
    rules: list[Rule] = [
        (
            not get_protocol(config.protocol).on_luma,
            f"{where}: discriminators judge RGB; use config.protocol rgb",
        ),
        (not config.scales, f"{where}: takes one scale; leave config.scales empty"),
        (
            config.supervision == "none",
            f"{where}: takes SR alone; use config.supervision none",
        ),
        one_of("adversarial.loss", adversarial.loss, GAN_LOSSES),
        one_of("adversarial.order", adversarial.order, ("together", "discriminator")),
        (
            0 <= adversarial.lag < 1,
            f"{where}.lag: {adversarial.lag} is no probability in [0, 1)",
        ),
        (
            not adversarial.freeze_batch_norm or "batch_stats" in shapes(model),
            f"{where}.freeze_batch_norm: {config.model} has no batch norms",
        ),
        (0 < adversarial.loss_weight < math.inf, f"{where}.loss_weight: must be positive"),
        (0 <= adversarial.r1 < math.inf, f"{where}.r1: must be finite and not negative"),
    ]
    rules += [
        (getattr(adversarial, name) > 0, f"{where}.{name}: must be positive")
        for name in ("generator_every", "discriminator_every", "r1_every")
    ]
    for name, one in adversarial.discriminators.items():
        rules += [
            (
                re.fullmatch(r"\w+", name) is not None and name not in ("loss", "psnr"),
                f"{where}.discriminators: '{name}' is no name; use letters, digits and _",
            ),
            (
                0 < one.weight < math.inf,
                f"{where}.discriminators.{name}.weight: must be positive, got {one.weight}",
            ),
        ]
    return rules + optimizer_rules("adversarial.optimizer", adversarial.optimizer, config.steps)


def check_discriminators(config: TrainConfig) -> None:
    """Each must exist, have its weights, and take the patches of the run, all of them.

    Raises:
      InputError: naming the discriminator's field.
    """
    adversarial = config.adversarial
    for name, one in adversarial.discriminators.items():
        where = f"config.adversarial.discriminators.{name}"
        try:
            judge = make_judges(dataclasses.replace(adversarial, discriminators={name: one}))[name]
            made = [_variables(judge, side) for side in (config.data.patch, *config.data.grow_to)]
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if any(other != made[0] for other in made):
            raise InputError(f"config.data.grow_to: {one.model} takes patches of one size only")
        if adversarial.r1 and _has_batch_norm(made[0]):
            raise InputError(
                f"config.adversarial.r1: the penalty is on the slope of each sample by itself, and "
                f"{one.model} has batch norms, which mix them; use unet, enhancenet or r1 = 0"
            )
        if adversarial.optimizer.rates:
            field = "adversarial.optimizer"
            optimizer = make_optimizer(adversarial.optimizer, config.steps, field)
            jax.eval_shape(optimizer.init, made[0]["params"])


def _variables(judge: Judge, side: int) -> Any:
    """The shapes of a discriminator's variables on patches of that side."""
    seen = jax.eval_shape(judge.view, jax.ShapeDtypeStruct((1, side, side, 3), np.float32))
    return jax.eval_shape(judge.module.init, jax.random.key(0, impl="rbg"), seen)


def _has_batch_norm(variables: Any) -> bool:
    """Running variances are batch norms'; spectral norms keep vectors only."""
    paths = jax.tree_util.tree_leaves_with_path(variables.get("batch_stats", {}))
    return any(getattr(path[-1], "key", None) == "var" for path, _ in paths)
