"""Degradations as plain data: `[{"op": "blur", "sigma": [0.2, 3.0]}, {"op": "downsample"}]`.

What a step leaves out has its default. A number n stands for the range [n, n], a name for the
weights {name: 1}.
"""

import dataclasses
import json
import os
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxsr.degradations.blurs import Blur, Kernel, Kernels
from jaxsr.degradations.branches import Choice, Option, Shuffle, lands_all
from jaxsr.degradations.levels import Clip, Jpeg, Noise, Round, Sharpen
from jaxsr.degradations.presets import PRESETS
from jaxsr.degradations.sizes import Decimate, Downsample, Resize
from jaxsr.degradations.step import Range, Step, Weights
from jaxsr.errors import InputError, nearest

STEPS: dict[str, type[Step]] = {
    "blur": Blur,
    "kernel": Kernel,
    "resize": Resize,
    "downsample": Downsample,
    "decimate": Decimate,
    "noise": Noise,
    "jpeg": Jpeg,
    "sharpen": Sharpen,
    "clip": Clip,
    "round": Round,
    "choice": Choice,
    "shuffle": Shuffle,
}
_NAMES = {kind: name for name, kind in STEPS.items()}
Spec = str | Sequence[Mapping[str, Any]]


def build(spec: Spec, scale: int) -> tuple[Step, ...]:
    """The steps of a preset's name or of a list of steps.

    Raises:
      InputError: for what is unknown, of a wrong type or makes no sense, naming the step.
    """
    if type(scale) is not int or not 1 <= scale <= 16:
        raise InputError(f"degradation: the scale must be a whole number, 1 to 16, got {scale!r}")
    if isinstance(spec, str):
        if spec not in PRESETS:
            raise InputError(f"unknown degradation '{spec}'{nearest(spec, PRESETS)}")
        spec = PRESETS[spec].steps(scale)
    steps = _steps(spec, "degradation:")
    lands = lands_all(steps)
    if lands is False or (lands is None and scale > 1):
        raise InputError(
            "degradation: the last step that changes the size must be downsample or decimate, "
            "which end at the size of LR"
        )
    return steps


def plain(value: Any) -> Any:
    """Steps as plain data, with every field."""
    if isinstance(value, Step | Option):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"op": _NAMES[type(value)], **fields} if isinstance(value, Step) else fields
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return dict(value) if isinstance(value, dict) else value


def read_spec(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The list of steps in a JSON file; the files of its kernels are looked for beside it.

    Raises:
      InputError: if it cannot be read or is no list.
    """
    try:
        spec = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON: {error}") from None
    if not isinstance(spec, list):
        raise InputError(f"{path}: a degradation is a list of steps, got {type(spec).__name__}")
    return [_beside(step, Path(path).parent) for step in spec]


def find_spec(value: Spec) -> Spec:
    """The list of steps of a file's name (.json); anything else as it is."""
    if isinstance(value, str) and value.lower().endswith(".json"):
        return read_spec(value)
    return value


def _beside(value: Any, folder: Path) -> Any:
    """The plain value with every relative `file` in it under a folder."""
    if isinstance(value, list):
        return [_beside(v, folder) for v in value]
    if isinstance(value, dict):
        return {
            k: str(folder / v) if k == "file" and isinstance(v, str) and v else _beside(v, folder)
            for k, v in value.items()
        }
    return value


def _steps(values: Any, where: str) -> tuple[Step, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise InputError(f"{where} expected a list of steps, got {_shown(values)}")
    return tuple(_step(v, f"{where} step {i + 1}") for i, v in enumerate(values))


def _step(values: Any, where: str) -> Step:
    op = values.get("op") if isinstance(values, Mapping) else None
    if not isinstance(values, Mapping) or not isinstance(op, str):
        raise InputError(f'{where}: expected {{"op": NAME, ...}}, got {_shown(values)}')
    if op not in STEPS:
        raise InputError(f"{where}: unknown op '{op}'{nearest(op, STEPS)}")
    step = _fields(STEPS[op], {k: v for k, v in values.items() if k != "op"}, f"{where} ({op})")
    if isinstance(step, Kernel) and step.file:
        from jaxsr.degradations.kernel_files import read_kernels

        step = dataclasses.replace(step, kernels=read_kernels(step.file), file="")
    if problems := step.problems():
        raise InputError(f"{where} ({op}): {problems[0]}")
    return step


def _fields(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise InputError(f"{where}: no field '{name}'{nearest(str(name), hints)}")
    return kind(**{k: _value(hints[k], v, f"{where}, {k}:") for k, v in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    """The plain value as what the annotation asks for."""
    if hint == tuple[Step, ...]:
        return _steps(value, where.removesuffix(", steps:") + ",")
    if hint == tuple[Option, ...] and _is_list(value):
        return tuple(_option(v, f"{where[:-1]} {i + 1}") for i, v in enumerate(value))
    if hint == Kernels and _is_list(value):
        return tuple(_kernel(v, where) for v in value)
    if hint == Range | None:
        return None if value is None else _value(Range, value, where)
    if hint == Range:
        pair = (value, value) if _is_number(value) else value
        if _is_list(pair) and len(pair) == 2 and all(map(_is_number, pair)):
            return tuple(pair)
        raise InputError(f"{where} expected a number or [low, high], got {_shown(value)}")
    if hint == Weights:
        weights = {value: 1.0} if isinstance(value, str) else value
        if isinstance(weights, Mapping) and all(map(_is_number, weights.values())):
            return dict(weights)
        raise InputError(f"{where} expected a name or {{name: weight}}, got {_shown(value)}")
    if _is_number(value) if hint is float else type(value) is hint:
        return value
    raise InputError(f"{where} expected {getattr(hint, '__name__', 'list')}, got {_shown(value)}")


def _option(value: Any, where: str) -> Option:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected steps and weight, got {_shown(value)}")
    return _fields(Option, value, where)


def _kernel(value: Any, where: str) -> tuple[tuple[float, ...], ...]:
    if not _is_list(value) or not all(_is_list(row) and all(map(_is_number, row)) for row in value):
        raise InputError(f"{where} expected a list of kernels, each a list of rows of numbers")
    return tuple(tuple(row) for row in value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 2**31  # JAX takes no larger int


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
