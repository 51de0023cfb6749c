"""The rules that a configuration must keep, checked before anything runs."""

import dataclasses
import math
from typing import Any

import jax
import numpy as np

from jaxsr.data.augment import MIXES
from jaxsr.errors import InputError, nearest
from jaxsr.evaluation import degradation_of
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters
from jaxsr.training.config import TrainConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.rules_adversarial import (
    adversarial_rules,
    check_discriminators,
    stage_rules,
)
from jaxsr.training.rules_optimizer import Rule, hold, one_of, optimizer_rules
from jaxsr.training.scales import smallest_patch
from jaxsr.training.stages import first_stage
from jaxsr.training.state import shapes, supervises
from jaxsr.training.validation import check_metrics


def check(config: TrainConfig) -> None:
    """Refuses combinations that cannot work, by the names of the fields, before anything runs."""
    _check_model_args(config)
    model: Any = create_model(config.model, scale=config.scale, **config.model_args)
    jax.devices()  # a device that cannot be had must not be blamed on the arguments below
    try:
        count_parameters(model)  # the arguments have the right types; have they sensible values?
    except Exception as error:
        if not config.model_args:
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"config.model_args: {config.model} cannot be built: {reason}") from error
    degradation_of(config.degradation, config.scale)
    check_metrics(config.metrics)
    rules = _model_rules(config, model) + _run_rules(config) + _data_rules(config)
    rules += optimizer_rules("optimizer", config.optimizer, config.steps)
    hold(rules + stage_rules(config) + adversarial_rules(config, model))
    _check_loss(config)
    if (first := first_stage(config)) is not None:
        _check_loss(first)
    _check_scales(config, model)
    check_discriminators(config)
    for field, optimizer in (
        ("optimizer", config.optimizer),
        ("pretrain.optimizer", config.pretrain.optimizer),
    ):
        if optimizer.rates:
            rule = make_optimizer(optimizer, config.steps, field)
            jax.eval_shape(rule.init, shapes(model)["params"])
    if config.supervision != "none" and not supervises(model):
        raise InputError(
            f"config.supervision: {config.model} x{config.scale} has no outputs besides SR; "
            "use none"
        )


def _check_model_args(config: TrainConfig) -> None:
    model: Any = create_model(config.model, scale=config.scale)
    hints = {f.name: f.type for f in dataclasses.fields(model)}
    known = set(hints) - {"scale", "parent", "name"}
    for name, value in config.model_args.items():
        where = f"config.model_args.{name}"
        if name not in known:
            raise InputError(f"{where}: {config.model} has no such field{nearest(name, known)}")
        kind = hints[name]
        if kind in (int, float, bool, str) and type(value) is not kind:
            raise InputError(f"{where}: expected {kind.__name__}, got {value!r}")


def _check_loss(config: TrainConfig) -> None:
    """The loss must be known, and the smallest patch of the run large enough for it."""
    loss = get_loss(config.loss)
    channels = 1 if get_protocol(config.protocol).on_luma else 3
    side = smallest_patch(config)
    patch = jax.ShapeDtypeStruct((1, side, side, channels), np.float32)
    jax.eval_shape(loss, patch, patch)


def _check_scales(config: TrainConfig, model: Any) -> None:
    """Several scales must be trained on one set of parameters."""
    for scale in config.scales:
        other: Any = create_model(config.model, scale=scale, **config.model_args)
        if count_parameters(other) != count_parameters(model):
            raise InputError(
                f"config.scales: {config.model} has other parameters at x{scale} than at "
                f"x{config.scale}; they cannot be trained together"
            )


def _model_rules(config: TrainConfig, model: Any) -> list[Rule]:
    on_luma = get_protocol(config.protocol).on_luma
    return [
        (model.colour != "any", f"config.model: {config.model} has nothing to train"),
        (
            model.colour == "y" or not on_luma,
            f"config.protocol: {config.protocol} feeds luma, but {config.model} takes RGB; use rgb",
        ),
        one_of("supervision", config.supervision, ("none", "sum", "anneal")),
        (
            config.supervision == "none" or model.colour == "rgb" or on_luma,
            f"config.supervision: {config.model} supervises luma, but {config.protocol} gives RGB",
        ),
        (
            config.supervision != "anneal" or config.anneal_steps > 0,
            "config.anneal_steps: anneal needs a positive number of steps",
        ),
    ]


def _run_rules(config: TrainConfig) -> list[Rule]:
    scale, scales = config.scale, config.scales
    split = config.scale_mix == "batch" and scales
    rules = [
        (
            not scales or scale in scales,
            f"config.scales: {scales} are without config.scale {scale}, the one that is scored",
        ),
        (len(set(scales)) == len(scales), f"config.scales: {scales} names one twice"),
        one_of("scale_mix", config.scale_mix, ("step", "batch")),
        (
            not split or config.data.batch % len(scales) == 0,
            f"config.data.batch: {config.data.batch} does not split over the {len(scales)} scales",
        ),
        (0 <= config.ema < 1, f"config.ema: {config.ema} is not in [0, 1)"),
        (0 <= config.seed < 2**63, f"config.seed: {config.seed} is not in [0, 2^63)"),
        (config.steps_per_call >= 0, "config.steps_per_call: must not be negative"),
        (
            config.steps_per_call in (0, 1) or config.data.residency == "device",
            "config.steps_per_call: several steps a call need config.data.residency device",
        ),
    ]
    return rules + [
        (value > 0, f"config.{name}: must be positive, got {value}")
        for name, value in (
            ("data.batch", config.data.batch),
            ("steps", config.steps),
            ("log_every", config.log_every),
            ("validate_every", config.validate_every),
            ("checkpoint_every", config.checkpoint_every),
        )
    ]


def _data_rules(config: TrainConfig) -> list[Rule]:
    data, scale, given = config.data, config.scale, config.degradation == "given"
    scales = config.scales or (scale,)
    split = config.scale_mix == "batch" and config.scales
    rules: list[Rule] = []
    for name, sides in (("patch", (data.patch,)), ("grow_to", data.grow_to)):
        for side in sides:
            rules += [
                (
                    side > 0 and side % scale == 0,
                    f"config.data.{name}: {side} is no positive multiple of config.scale {scale}; "
                    f"nearest: {max(1, round(side / scale)) * scale}",
                ),
                (
                    not split or all(s > 0 and side % s == 0 for s in config.scales),
                    f"config.data.{name}: {side} is no multiple of each of the scales "
                    f"{config.scales}",
                ),
            ]
    rules += [one_of(f"data.mix.{name}", name, MIXES) for name in data.mix]
    rules += [
        (
            len(data.grow_to) == len(data.grow_at),
            f"config.data.grow_at: {data.grow_at} are not as many as grow_to {data.grow_to}",
        ),
        (
            list(data.grow_at) == sorted({step for step in data.grow_at if step > 0}),
            f"config.data.grow_at: {data.grow_at} are not positive and rising",
        ),
        (
            data.border >= 0 and all(s > 0 and data.border % s == 0 for s in scales),
            f"config.data.border: {data.border} is not a multiple of the scale",
        ),
        (bool(data.train), "config.data.train: no images; give --config.data.train=FOLDER"),
        (
            not data.weights
            or (
                len(data.weights) == len(data.train) and all(0 < w < math.inf for w in data.weights)
            ),
            f"config.data.weights: {data.weights} are not one positive number for each of "
            f"config.data.train {data.train}",
        ),
        (
            bool(data.rescale) and all(0 < r <= 1 for r in data.rescale),
            f"config.data.rescale: factors must be in (0, 1], got {data.rescale}",
        ),
        (
            all(0 <= p <= 1 for p in data.mix.values()) and sum(data.mix.values()) <= 1 + 1e-9,
            f"config.data.mix: {data.mix} are not probabilities that sum up to 1 or less",
        ),
        (0 <= data.min_detail < 0.5, f"config.data.min_detail: {data.min_detail} not in [0, 0.5)"),
        one_of("data.residency", data.residency, ("auto", "memory", "mmap", "device")),
        (data.memory_limit_mib >= 0, "config.data.memory_limit_mib: must not be negative"),
        (
            not given or config.protocol == "rgb",
            "config.degradation: LR of files is RGB; use config.protocol rgb",
        ),
        (
            not given or (data.rescale == (1.0,) and not config.scales and not data.border),
            "config.degradation: LR of files has one scale; leave config.data.rescale, "
            "config.data.border and config.scales as they are",
        ),
    ]
    return rules
