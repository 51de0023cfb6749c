"""From files of `eval.py --json` to points of distortion and perception."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxsr.data.images import some
from jaxsr.data.locate import labelled
from jaxsr.errors import InputError, nearest

DISTORTION = {"rmse": "RMSE", "psnr": "PSNR-Y"}
PERCEPTION = {"pi": "Perceptual Index", "niqe": "NIQE", "lpips": "LPIPS"}


@dataclass(frozen=True)
class Result:
    """What one file holds.

    Attributes:
      conditions: what has to be the same for numbers to compare, and is no reason to refuse.
      sets: the sets' names to the measures' names and values.
    """

    path: Path
    label: str | None
    model: str
    scale: Any
    conditions: dict[str, Any]
    sets: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Point:
    """A method on the plane."""

    label: str
    distortion: float
    perception: float


def read_result(text: str) -> Result:
    """Reads [LABEL=]FILE.

    Raises:
      InputError: if it is no such file.
    """
    label, path = labelled(text)
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is not JSON; give what `eval.py --json` writes") from None
    sets = value.get("sets") if isinstance(value, dict) else None
    if (
        not isinstance(sets, dict)
        or not all(isinstance(x, dict) for x in sets.values())
        or not sets
    ):
        raise InputError(f"{path}: has no 'sets' with measures; give what `eval.py --json` writes")
    known = {
        name: {key: x for key, x in measures.items() if _is_number(x)}
        for name, measures in sets.items()
    }
    model = value.get("model")
    return Result(
        path,
        label,
        model if isinstance(model, str) and model.strip() else path.stem,
        value.get("scale"),
        {
            "protocol": value.get("protocol"),
            "degradation": value.get("degradation"),
            "NIQE's model": value.get("niqe_model"),
        },
        known,
    )


def _is_number(x: Any) -> bool:
    """Whether it is one that a float holds: whole ones of JSON may be of any size."""
    number = isinstance(x, int | float) and not isinstance(x, bool)
    return number and abs(x) <= sys.float_info.max


def labels_of(results: Sequence[Result]) -> list[str]:
    """The given label, else the model's name if no other file has it, else the file's name."""
    models = [result.model for result in results]
    return [
        result.label or (result.model if models.count(result.model) == 1 else result.path.stem)
        for result in results
    ]


def choose(
    results: Sequence[Result],
    set_name: str | None,
    distortion: str | None,
    perception: str | None,
    warn: Callable[[str], None] = lambda line: None,
) -> tuple[str, str, str]:
    """The set, the distortion and the perception measure: what is given, or all files have.

    Raises:
      InputError: if no file is given, the scales differ, or no or several sets would do.
    """
    if not results:
        raise InputError("no results; give files that `eval.py --json` wrote")
    first = results[0]
    for other in results[1:]:
        if other.scale != first.scale:
            raise InputError(
                f"{first.path} is x{first.scale}, {other.path} x{other.scale}; give one scale"
            )
    shared = [name for name in first.sets if all(name in r.sets for r in results)]
    if not shared:
        raise InputError("the files have no set in common; score all methods on the same one")
    if set_name is not None and set_name not in shared:
        raise InputError(f"--set: not all files have '{set_name}'{nearest(set_name, shared)}")
    wanted = [
        list(DISTORTION) if distortion is None else [distortion],
        list(PERCEPTION) if perception is None else [perception],
    ]
    names = shared if set_name is None else [set_name]
    usable: list[tuple[str, str, str]] = []
    for name in names:
        x, y = (_common(results, name, keys) for keys in wanted)
        if x and y:
            usable.append((name, x[0], y[0]))
    if len(usable) > 1:
        several = some([name for name, _, _ in usable])
        raise InputError(f"the files have several sets; give --set, one of {several}")
    if not usable:
        keys = next(keys for keys in wanted if not _common(results, names[0], keys))
        lacking = next((r for r in results if not _common([r], names[0], keys)), first)
        raise InputError(
            f"{lacking.path}: of {names[0]}, no {' or '.join(keys)} that all files have; run "
            "eval.py with --metrics"
        )
    _warn_of_differences(results, usable[0][0], usable[0][2], warn)
    return usable[0]


def _warn_of_differences(
    results: Sequence[Result], name: str, perception: str, warn: Callable[[str], None]
) -> None:
    """A line for each condition that a file tells and that is another in the first file."""

    def conditions(result: Result) -> dict[str, Any]:
        found = {**result.conditions, f"number of images of {name}": result.sets[name].get("n")}
        if perception == "lpips":
            del found["NIQE's model"]
        return {key: value for key, value in found.items() if value is not None}

    for other in results[1:]:
        told = conditions(other)
        for key, value in conditions(results[0]).items():
            if told.get(key, value) != value:
                warn(
                    f"{key}: {value!s:.80} in {results[0].path}, {told[key]!s:.80} in "
                    f"{other.path}; their points do not compare"
                )


def _common(results: Sequence[Result], name: str, keys: Sequence[str]) -> list[str]:
    """Those of the measures that all results have of that set."""
    return [key for key in keys if all(key in result.sets[name] for result in results)]


def point(result: Result, label: str, name: str, distortion: str, perception: str) -> Point:
    """The result on that set."""
    measures = result.sets[name]
    return Point(label, measures[distortion], measures[perception])
