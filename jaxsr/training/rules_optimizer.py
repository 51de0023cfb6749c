"""Rules of a config: what they are, and those that an optimiser must keep."""

import math
import re
from collections.abc import Collection, Sequence

from jaxsr.errors import InputError, nearest
from jaxsr.training.config import OptimizerConfig

Rule = tuple[bool, str]  # whether it holds, and what to say if not


def hold(rules: Sequence[Rule]) -> None:
    """InputError with the message of the first rule that does not hold."""
    for holds, message in rules:
        if not holds:
            raise InputError(message)


def one_of(name: str, value: str, known: Collection[str]) -> Rule:
    """The value of `config.NAME` must be a known one."""
    return value in known, f"config.{name}: unknown '{value}'{nearest(value, known)}"


def optimizer_rules(field: str, config: OptimizerConfig, steps: int) -> list[Rule]:
    """Of an optimiser at `config.FIELD`, in a run of so many steps."""
    where = f"config.{field}"
    rules = [
        one_of(f"{field}.name", config.name, ("adam", "sgd")),
        one_of(f"{field}.schedule", config.schedule, ("constant", "cosine", "step")),
        (
            config.schedule != "step" or (config.decay_every > 0) != bool(config.milestones),
            f"{where}.decay_every: the step schedule needs a positive number of steps, or else "
            "milestones",
        ),
        (
            list(config.milestones) == sorted({m for m in config.milestones if m > 0}),
            f"{where}.milestones: {config.milestones} are not positive and rising",
        ),
        (
            0 <= config.warmup <= steps,
            f"{where}.warmup: {config.warmup} is not within the {steps} steps of the run",
        ),
        (
            0 < config.learning_rate < math.inf,
            f"{where}.learning_rate: {config.learning_rate} is not positive and finite",
        ),
        (
            0 <= config.end_rate <= config.learning_rate,
            f"{where}.end_rate: {config.end_rate} is not between 0 and the learning rate",
        ),
        (0 < config.decay_factor <= 1, f"{where}.decay_factor: must be above 0 and at most 1"),
        (0 < config.eps < math.inf, f"{where}.eps: must be positive and finite"),
    ]
    rules += [
        (0 <= value < 1, f"{where}.{name}: {value} is not in [0, 1)")
        for name, value in (("b1", config.b1), ("b2", config.b2), ("momentum", config.momentum))
    ]
    rules += [
        (0 <= value < math.inf, f"{where}.{name}: must be finite and not negative")
        for name, value in (
            ("decay_every", config.decay_every),
            ("restart_every", config.restart_every),
            ("weight_decay", config.weight_decay),
            ("clip_norm", config.clip_norm),
            ("clip_value", config.clip_value),
            ("adjustable_clip", config.adjustable_clip),
            ("adjustable_clip_norm", config.adjustable_clip_norm),
            *((f"rates.{pattern}", rate) for pattern, rate in config.rates.items()),
        )
    ]
    return rules + [
        (_compiles(pattern), f"{where}.rates.{pattern}: is no regular expression")
        for pattern in config.rates
    ]


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
