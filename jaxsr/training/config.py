"""The typed configuration of a training run, and `--config.some.field=value` overrides.

A config file is a Python file with `get_config(variant: str) -> TrainConfig`. Everything in it
is plain data: it is written into the run folder and into every checkpoint.
"""

import ast
import dataclasses
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

    # Folders, image files, datasets of `jaxsr prepare`, or NAME:PATH (docs/datasets.md). Where
    # LR is "given" by files: pairs of folders, or datasets that hold pairs.
    train: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()  # share of each of `train` among the patches; () = by area
    validation: tuple[str, ...] = ()  # as `train`; scored whole by the protocol
    patch: int = 96  # side of an HR patch, in pixels: a multiple of the scale
    grow_to: tuple[int, ...] = ()  # a curriculum: the sides of later patches, and
    grow_at: tuple[int, ...] = ()  # the steps from which on they are taken
    border: int = 0  # HR pixels around a patch that are degraded with it and then cut off
    batch: int = 16  # patches a step, over all devices
    augment: bool = True  # flips and rotations by 90 degrees
    upright: bool = False  # of those only the flip from left to right
    min_detail: float = 0.0  # flatter patches are drawn again; see `jaxsr.data.batches.detail`
    mix: dict[str, float] = field(default_factory=dict)  # "rgb", "mixup", "cutblur": probability
    sharpen: bool = False  # the loss sees HR sharpened by an unsharp mask (Real-ESRNet)
    rescale: tuple[float, ...] = (1.0,)  # each image also enters shrunk by these factors
    # Where the decoded images are: "memory", "mmap" (a file beside the dataset), "device" (in the
    # memory of the accelerator, where patches are then cut), or "auto" (memory, or mmap for more
    # than memory_limit_mib).
    residency: str = "auto"
    memory_limit_mib: int = 2048


@dataclass(frozen=True)
class OptimizerConfig:
    """The update rule and its learning rate, a function of the step.

    In this order: the gradient is clipped, decay is added to it, the rule makes an update of it,
    and the learning rate, times the layer's own factor, scales the update.
    """

    name: str = "adam"  # or "sgd"
    learning_rate: float = 1e-4
    schedule: str = "constant"  # "constant", "cosine" or "step"
    warmup: int = 0  # steps of linear warm-up, before the schedule begins
    decay_every: int = 0  # "step": the rate falls after every so many steps, or
    milestones: tuple[int, ...] = ()  # at these steps of the run
    decay_factor: float = 0.5  # "step": what it is multiplied by
    restart_every: int = 0  # "cosine": steps from one peak to the next; 0 = one cycle, the run
    end_rate: float = 0.0  # "cosine" ends here, "step" falls no lower
    momentum: float = 0.9  # of "sgd"
    weight_decay: float = 0.0  # times the parameter, added to its gradient (L2)
    clip_norm: float = 0.0  # global norm of the gradient; 0 = not clipped, as below
    clip_value: float = 0.0  # size of every entry of the gradient
    adjustable_clip: float = 0.0  # theta: size of every entry times the learning rate (VDSR)
    adjustable_clip_norm: float = 0.0  # theta: global norm times the learning rate (DRRN, MemNet)
    # Regular expression -> factor of the learning rate of the parameters in whose path, such as
    # "conv3/bias", it is found; the first one counts.
    rates: dict[str, float] = field(default_factory=dict)
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8


@dataclass(frozen=True)
class DiscriminatorConfig:
    """One opponent of the generator."""

    model: str  # a name of jaxsr.models.discriminators
    model_args: dict[str, Any] = field(default_factory=dict)
    on: str = "image"  # what it judges, or the features of a fixed network: "vgg19_relu5_4"
    weight: float = 1e-3  # of its term in the generator's objective


@dataclass(frozen=True)
class AdversarialConfig:
    """Discriminators, and how they and the generator take turns; without any there is no GAN."""

    discriminators: dict[str, DiscriminatorConfig] = field(default_factory=dict)  # by any name
    loss: str = "vanilla"  # a name of jaxsr.losses.GAN_LOSSES
    loss_weight: float = 1.0  # what the discriminators' own losses are multiplied by
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)  # of each discriminator
    # "together": both learn from the networks as they are before the step; "discriminator": it
    # learns first, and the generator from what it has become.
    order: str = "together"
    generator_every: int = 1  # the generator learns in every so manieth step
    discriminator_every: int = 1
    # Above 0: a discriminator only learns while the probability that it gave to the truth in the
    # step before was below this, on average, for HR or for SR (EnhanceNet).
    lag: float = 0.0
    freeze_batch_norm: bool = False  # the generator's: as they are in inference (SRFeat)
    r1: float = 0.0  # gamma of the R1 penalty on the discriminators; 0 = none
    r1_every: int = 16  # in every so manieth of their turns, times this


@dataclass(frozen=True)
class PretrainConfig:
    """A stage for PSNR before the run, in the folder `psnr` inside the run's; the run starts from
    its best checkpoint. It is the same run without discriminators, but for these fields."""

    steps: int = 0  # 0 = none
    loss: Any = "l1"
    patch: int = 0  # 0 = that of the run
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


@dataclass(frozen=True)
class GuardConfig:
    """Which updates are skipped: those of a loss or gradient that is not finite, and outliers."""

    skips: int = 10  # so many in a row end the run
    spike: float = 0.0  # skip losses of more than so many times their running mean; 0 = none


@dataclass(frozen=True)
class TrainConfig:
    """One run: what is trained, on what, how, and how often it is looked at."""

    model: str
    scale: int
    protocol: str  # "y-uint8" (luma) or "rgb": what the network sees and how it is scored
    loss: Any  # a name of jaxsr.losses, or {name: weight}, whose terms are logged one by one, too
    steps: int
    degradation: Any = "bicubic"  # a preset, a list of steps (docs/degradations.md), or "given"
    model_args: dict[str, Any] = field(default_factory=dict)
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    ema: float = 0.999  # decay of the averaged weights that are evaluated; 0 = none
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    # The losses of the outputs that a network supervises besides SR: "none", "sum" (added), or
    # "anneal" (alpha * their mean + (1 - alpha) * that of SR, alpha from 1 to 0; DRCN).
    supervision: str = "none"
    anneal_steps: int = 0  # until alpha is 0
    scales: tuple[int, ...] = ()  # trained together in one run; () = only `scale`, the scored one
    scale_mix: str = "step"  # one drawn for each step; or "batch": each has its part of the batch
    init_from: str = ""  # a run folder or a weights file; what fits of it is what a run starts from
    seed: int = 0
    steps_per_call: int = 0  # with data.residency "device"; 0 = 16 on accelerators, else 1
    log_every: int = 100
    validate_every: int = 1000
    metrics: tuple[str, ...] = ("psnr", "ssim")  # of the validation, as those of `eval.py`
    checkpoint_every: int = 1000


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as nested dicts and lists, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The inverse of `to_dict` (also after JSON); InputError names an unknown or wrong field."""
    return _build(TrainConfig, values, "config")


def override(config: TrainConfig, field_path: str, text: str) -> TrainConfig:
    """Sets one field, such as `"data.batch"`, to a value written as on a command line.

    Tuples take `a,b,c`; a string needs no quotes; of dicts (`model_args`, `optimizer.rates`) one
    entry is set, a new one before the others; a loss can be set as a whole, too.

    Raises:
      InputError: naming the field and the nearest one, or the type that was expected.
    """
    return _override(config, field_path.split("."), text, f"config.{field_path}")


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
    kinds = {name: kind for name, kind in globals().items() if dataclasses.is_dataclass(kind)}
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
    hints = typing.get_type_hints(type(node))
    if name not in hints:
        raise InputError(f"{where}: no such field{nearest(name, hints)}")
    hint, value = hints[name], getattr(node, name)
    nested = dataclasses.is_dataclass(value) or isinstance(value, dict)
    if bool(rest) != nested and (rest or hint is not Any):  # `Any` may be a dict set as a whole
        problem = f"'{name}' has no fields" if rest else f"set one of its fields: {where}.NAME"
        raise InputError(f"{where}: {problem}")
    kind = typing.get_args(hint)[1] if typing.get_origin(hint) is dict else Any
    if isinstance(value, dict) and dataclasses.is_dataclass(kind):
        key, *inner = rest
        if key not in value or not inner:
            problem = f"set one of its fields: {where}.NAME" if key in value else "no such entry"
            raise InputError(f"{where}: {problem}{'' if key in value else nearest(key, value)}")
        new = value | {key: _override(value[key], inner, text, where)}
    elif isinstance(value, dict) and rest:  # keys not known here; a regular expression has dots
        entry = {".".join(rest): _convert(kind, _literal(text), where)}
        # Before the others if it is new, since of `rates` the first one counts.
        new = value | entry if entry.keys() <= value.keys() else entry | value
    elif rest:
        new = _override(value, rest, text, where)
    else:
        new = _convert(hint, _parse(hint, text), where)
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
    if expected is dict and isinstance(value, dict):
        return {k: _convert(typing.get_args(hint)[1], v, f"{where}.{k}") for k, v in value.items()}
    if hint is Any:  # what comes back from JSON must equal what went there
        if isinstance(value, list | tuple):
            return tuple(_convert(Any, v, where) for v in value)
        return value
    if hint is float and type(value) is int:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    if type(value) is expected:
        return value
    raise InputError(f"{where}: expected {expected.__name__}, got {value!r}")
