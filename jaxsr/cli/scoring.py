"""What `eval.py` and `jaxsr interpolate` share: options, test sets, measures and report."""

import argparse
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxsr.cli.run import warn
from jaxsr.errors import InputError

if TYPE_CHECKING:
    from jaxsr.evaluation import Score, Scorer, TestImage
    from jaxsr.metrics.niqe import NiqeModel
    from jaxsr.metrics.protocol import Protocol
    from jaxsr.metrics.registry import Asked, Measure


def add_options(parser: Any) -> None:
    """Adds --protocol, --degradation, --metrics and --niqe-model."""
    parser.add_argument(
        "--protocol", help="default: the run's, else y-uint8 for luma networks and rgb for others"
    )
    parser.add_argument(
        "--degradation",
        metavar="NAME|FILE.json",
        help="how LR is made, see `jaxsr degrade --help`; default: the run's, else bicubic",
    )
    parser.add_argument(
        "--metrics",
        action=_Metrics,
        metavar="NAME,...",
        help="default: psnr,ssim; --metrics=help tells which there are and what they agree with",
    )
    parser.add_argument(
        "--niqe-model",
        metavar="FILE",
        help="the pristine model of niqe; default: LIVE's, in the folder $JAXSR_CACHE",
    )


class _Metrics(argparse.Action):
    """Keeps the names, or prints what there is and exits."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, *_: Any
    ) -> None:
        if values == "help":
            from jaxsr.metrics.registry import describe

            print("\n".join(describe()))
            parser.exit(0)
        setattr(namespace, self.dest, values)


def wanted_measures(args: argparse.Namespace) -> "dict[str, Measure]":
    """Those of --metrics; InputError for an unknown one, or a NIQE model that none needs."""
    from jaxsr.metrics.registry import get_measures

    measures = get_measures("psnr,ssim" if args.metrics is None else args.metrics)
    if args.niqe_model is not None and "niqe" not in measures:
        raise InputError("--niqe-model: niqe is not among the --metrics; add it or leave this out")
    return measures


@dataclass(frozen=True)
class Scoring:
    """Under what and by what results are scored.

    Attributes:
      degradation: as a config has it.
      made: how LR is made, for people.
      measures, asked: by the names of --metrics.
      pristine: NIQE's model, where it is asked for.
      score: (variables, image) -> Score.
    """

    scale: int
    protocol: "Protocol"
    degradation: Any
    made: str
    measures: "dict[str, Measure]"
    asked: "dict[str, Asked]"
    pristine: "NiqeModel | None"
    score: "Scorer"


def make_scoring(
    args: argparse.Namespace,
    measures: "dict[str, Measure]",
    model: Any,
    config: Mapping[str, Any],
) -> Scoring:
    """What the options say, or else the config of the run.

    Raises:
      InputError: for an unknown protocol or degradation, one that does not fit the model, or a
        measure whose files are not there.
    """
    from jaxsr.degradations import find_spec
    from jaxsr.evaluation import degradation_of, make_scorer
    from jaxsr.metrics import get_protocol
    from jaxsr.metrics.niqe import load_niqe_model

    usual = "y-uint8" if model.colour == "y" else "rgb"
    protocol = get_protocol(args.protocol or config.get("protocol", usual))
    degradation = find_spec(args.degradation or config.get("degradation", "bicubic"))
    pristine = load_niqe_model(args.niqe_model) if "niqe" in measures else None
    return Scoring(
        scale=model.scale,
        protocol=protocol,
        degradation=degradation,
        made=degradation if isinstance(degradation, str) else args.degradation or "the run's own",
        measures=measures,
        asked={name: m.make(model.scale, pristine) for name, m in measures.items()},
        pristine=pristine,
        score=make_scorer(model, protocol, degradation_of(degradation, model.scale)),
    )


def set_folders(data: str) -> dict[str, Path]:
    """Name of the folder, or of the set and its track -> path; results are kept by name."""
    from jaxsr.data.locate import title

    folders: dict[str, Path] = {}
    for part in filter(None, data.split(",")):
        path, key = Path(part), title(part)
        if key in folders:
            raise InputError(f"--data: two folders are called {key}; rename one")
        folders[key] = path
    if not folders:
        raise InputError("--data: no folder given")
    return folders


def read_sets(scoring: Scoring, folders: Mapping[str, Path]) -> "dict[str, list[TestImage]]":
    """The images of every set: whatever may be wrong with one shows before the first is scored."""
    from jaxsr.evaluation import read_test_set, refuse_small

    sets = {
        key: read_test_set(path, scoring.scale, scoring.protocol, scoring.degradation)
        for key, path in folders.items()
    }
    for images in sets.values():
        refuse_small(scoring.measures.values(), images, scoring.scale)
    return sets


def measure_set(
    scoring: Scoring,
    images: "Sequence[TestImage]",
    scores: "Sequence[Score]",
    watch: Callable[[Sequence[Any]], Iterable[Any]],
) -> dict[str, Any]:
    """What the report tells of a set: every measure, "n", and every measure of its "images".

    Args:
      scores: of the images, in their order.
      watch: may wrap the sequence in a progress bar.
    """
    from jaxsr.evaluation import measured

    each: list[dict[str, float]] = []
    for score, image in watch(list(zip(scores, images, strict=True))):
        values = measured(scoring.asked, scoring.protocol, image, score)
        for name, value in values.items():
            if math.isnan(value):
                warn(f"{image.name}: {name} has no value for a picture so flat")
        each.append(values)
    whole = {
        name: measure.over_set([values[name] for values in each])
        for name, measure in scoring.measures.items()
    }
    named = {image.name: values for image, values in zip(images, each, strict=True)}
    return {**whole, "n": len(images), "images": named}


def print_notes(args: argparse.Namespace, scoring: Scoring) -> None:
    """Below the table: whose numbers the measures give, where they were asked for by name."""
    if args.metrics is not None:
        for name, measure in scoring.measures.items():
            print(f"{name}: agrees with {measure.reference}")
    if scoring.pristine is not None:
        print(f"niqe: by the model {scoring.pristine.name}")


def report(model: str, scoring: Scoring, sets: Mapping[str, Any]) -> dict[str, Any]:
    """What `eval.py --json` writes."""
    head = {"model": model, "scale": scoring.scale, "protocol": scoring.protocol.name}
    head["degradation"] = scoring.degradation
    if scoring.pristine is not None:
        head["niqe_model"] = scoring.pristine.name
    return {**head, "sets": dict(sets)}


def write_report(path: Path, value: Mapping[str, Any], option: str) -> None:
    """Writes a report, whole; InputError, naming the option, if it cannot be written."""
    from jaxsr.training.runlog import write_json

    try:
        write_json(path, value)
    except OSError as error:
        raise InputError(f"{option}: cannot write {path} ({error.strerror})") from None
