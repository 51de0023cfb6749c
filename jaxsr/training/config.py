"""The typed configuration of a training run, and `--config.some.field=value` overrides.

A config file is a Python file with `get_config(variant: str) -> TrainConfig`. Everything in it
is plain data: it is written into the run folder and into every checkpoint.
"""

import ast
import dataclasses
import math
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxsr.errors import InputError, nearest


@dataclass(frozen=True)
class DataConfig:
    """Which images, and how patches are cut from them."""

    train: tuple[str, ...] = ()  # folders, image files or datasets of `jaxsr prepare`
    validation: tuple[str, ...] = ()  # the same; scored whole by the protocol
    patch: int = 96  # side of an HR patch, in pixels: a multiple of the scale
    batch: int = 16  # patches a step, over all devices
    augment: bool = True  # flips and rotations by 90 degrees
    rescale: tuple[float, ...] = (1.0,)  # each image also enters shrunk by these factors
    memory_limit_mib: int = 2048  # a larger set is memory-mapped from a file instead


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam and its learning rate."""

    learning_rate: float = 1e-4
    schedule: str = "constant"  # "constant", "cosine" (to zero) or "step" (halved)
    halve_every: int = 0  # steps between halvings of the "step" schedule
    warmup: int = 0  # steps of linear warm-up
    clip_norm: float = 0.0  # global norm of the gradient; 0 = not clipped
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8


@dataclass(frozen=True)
class TrainConfig:
    """One run: what is trained, on what, how, and how often it is looked at."""

    model: str
    scale: int
    protocol: str  # "y-uint8" (luma) or "rgb": what the network sees and how it is scored
    loss: str
    steps: int
    degradation: str = "bicubic"
    model_args: dict[str, Any] = field(default_factory=dict)
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    ema: float = 0.999  # decay of the averaged weights that are evaluated; 0 = none
    seed: int = 0
    log_every: int = 100
    validate_every: int = 1000
    checkpoint_every: int = 1000


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as nested dicts and lists, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The inverse of `to_dict` (also after JSON); InputError names an unknown or wrong field."""
    return _build(TrainConfig, values, "config")


def override(config: TrainConfig, field_path: str, text: str) -> TrainConfig:
    """Sets one field, such as `"data.batch"`, to a value written as on a command line.

    Tuples take `a,b,c`; a string needs no quotes.

    Raises:
      InputError: naming the field and the nearest one, or the type that was expected.
    """
    return _override(config, field_path.split("."), text, f"config.{field_path}")


def check(config: TrainConfig) -> None:
    """Refuses combinations that cannot work, by the names of the fields, before anything runs."""
    import jax

    from jaxsr.degradations import get_degradation
    from jaxsr.losses import get_loss
    from jaxsr.metrics import get_protocol
    from jaxsr.models import create_model
    from jaxsr.models.count import count_parameters

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
    protocol = get_protocol(config.protocol)
    get_degradation(config.degradation, config.scale)
    get_loss(config.loss)
    data, optimizer = config.data, config.optimizer
    rules = [
        (model.colour != "any", f"config.model: {config.model} has nothing to train"),
        (
            model.colour == "y" or not protocol.on_luma,
            f"config.protocol: {config.protocol} feeds luma, but {config.model} takes RGB; use rgb",
        ),
        (
            data.patch > 0 and data.patch % config.scale == 0,
            f"config.data.patch: {data.patch} is no positive multiple of "
            f"config.scale {config.scale}; nearest: "
            f"{max(1, round(data.patch / config.scale)) * config.scale}",
        ),
        (
            optimizer.schedule in _SCHEDULES,
            f"config.optimizer.schedule: unknown '{optimizer.schedule}'"
            f"{nearest(optimizer.schedule, _SCHEDULES)}",
        ),
        (
            optimizer.schedule != "step" or optimizer.halve_every > 0,
            "config.optimizer.halve_every: the step schedule needs a positive number of steps",
        ),
        (
            0 <= optimizer.warmup <= config.steps,
            f"config.optimizer.warmup: {optimizer.warmup} is not within the "
            f"{config.steps} steps of the run",
        ),
        (
            0 < optimizer.learning_rate < math.inf,
            f"config.optimizer.learning_rate: {optimizer.learning_rate} is not positive and finite",
        ),
        (
            0 <= optimizer.clip_norm < math.inf,
            "config.optimizer.clip_norm: must be finite and not negative",
        ),
        (0 <= optimizer.b1 < 1, f"config.optimizer.b1: {optimizer.b1} is not in [0, 1)"),
        (0 <= optimizer.b2 < 1, f"config.optimizer.b2: {optimizer.b2} is not in [0, 1)"),
        (0 < optimizer.eps < math.inf, "config.optimizer.eps: must be positive and finite"),
        (0 <= config.ema < 1, f"config.ema: {config.ema} is not in [0, 1)"),
        (bool(data.train), "config.data.train: no images; give --config.data.train=FOLDER"),
        (
            bool(data.rescale) and all(0 < r <= 1 for r in data.rescale),
            f"config.data.rescale: factors must be in (0, 1], got {data.rescale}",
        ),
        (data.memory_limit_mib >= 0, "config.data.memory_limit_mib: must not be negative"),
        (0 <= config.seed < 2**63, f"config.seed: {config.seed} is not in [0, 2^63)"),
    ]
    rules += [
        (value > 0, f"config.{name}: must be positive, got {value}")
        for name, value in (
            ("data.batch", data.batch),
            ("steps", config.steps),
            ("log_every", config.log_every),
            ("validate_every", config.validate_every),
            ("checkpoint_every", config.checkpoint_every),
        )
    ]
    for holds, message in rules:
        if not holds:
            raise InputError(message)


def _check_model_args(config: TrainConfig) -> None:
    from jaxsr.models import create_model

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


_SCHEDULES = ("constant", "cosine", "step")


def load_config(spec: str) -> TrainConfig:
    """Runs the config file of `PATH[:VARIANT]`; InputError for a missing file or variant."""
    import runpy

    path, _, variant = spec.partition(".py:")
    path = path if path.endswith(".py") else path + ".py"
    if not Path(path).is_file():
        raise InputError(f"--config: no file {path}")
    try:
        get_config = runpy.run_path(path).get("get_config")
        config = get_config(variant) if callable(get_config) else None
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"--config: {path} fails: {_explain(error)}") from error
    if not isinstance(config, TrainConfig):
        raise InputError(f"--config: {path} defines no get_config(variant) -> TrainConfig")
    return from_dict(to_dict(config))  # Python checks no annotation; this does


def _explain(error: Exception) -> str:
    """The error in one line; a misspelt field of a config class with the nearest one."""
    unknown = re.search(
        r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error)
    )
    kinds = {kind.__name__: kind for kind in (TrainConfig, DataConfig, OptimizerConfig)}
    if unknown and unknown[1] in kinds:
        known = [f.name for f in dataclasses.fields(kinds[unknown[1]])]
        return f"{unknown[1]} has no field '{unknown[2]}'{nearest(unknown[2], known)}"
    return f"{type(error).__name__}: {error}"


def choose(variant: str, variants: Mapping[str, TrainConfig]) -> TrainConfig:
    """The named variant of a config file; "" is the recipe itself."""
    if variant not in variants:
        names = [name for name in variants if name]
        raise InputError(f"--config: no variant '{variant}'{nearest(variant, names)}")
    return variants[variant]


def _override(node: Any, parts: list[str], text: str, where: str) -> Any:
    name, rest = parts[0], parts[1:]
    if isinstance(node, dict):  # model_args: the model checks names and types
        if rest:
            raise InputError(f"{where}: '{name}' has no fields")
        return {**node, name: _literal(text)}
    hints = typing.get_type_hints(type(node))
    if name not in hints:
        raise InputError(f"{where}: no such field{nearest(name, hints)}")
    hint, value = hints[name], getattr(node, name)
    nested = dataclasses.is_dataclass(value) or isinstance(value, dict)
    if bool(rest) != nested:
        problem = f"'{name}' has no fields" if rest else f"set one of its fields: {where}.NAME"
        raise InputError(f"{where}: {problem}")
    new = _override(value, rest, text, where) if rest else _convert(hint, _parse(hint, text), where)
    return dataclasses.replace(node, **{name: new})


def _parse(hint: Any, text: str) -> Any:
    """Command-line text as the Python value that the annotation asks for."""
    if typing.get_origin(hint) is tuple:
        return [_parse(typing.get_args(hint)[0], part) for part in text.split(",") if part]
    return text if hint is str else _literal(text)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)


def _build(kind: Any, values: Any, where: str) -> Any:
    """A dataclass `kind` from nested mappings, every field checked by its annotation."""
    if not isinstance(values, Mapping):
        raise InputError(f"{where}: expected a mapping of fields, got {values!r}")
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise InputError(f"{where}.{name}: no such field{nearest(str(name), hints)}")
    required = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in values]:
        raise InputError(f"{where}: the field '{missing[0]}' is missing")
    return kind(**{k: _convert(hints[k], v, f"{where}.{k}") for k, v in values.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    """`value` as the annotated type: lists become tuples, 1e5 an int, 1 a float; else refused."""
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    expected = typing.get_origin(hint) or hint
    if expected is tuple and isinstance(value, list | tuple):
        return tuple(_convert(typing.get_args(hint)[0], v, where) for v in value)
    if hint is float and type(value) is int:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    if type(value) is expected:
        return value
    raise InputError(f"{where}: expected {expected.__name__}, got {value!r}")
