"""`jaxsr mos make` and `jaxsr mos score`: what people think of the results."""

import argparse
import math
import sys
from pathlib import Path
from reprlib import repr  # cuts long ones
from typing import TYPE_CHECKING, Any

from jaxsr.cli.run import warn
from jaxsr.errors import InputError

if TYPE_CHECKING:
    from jaxsr.mos.answers import Answers, Key
    from jaxsr.mos.score import Opinion


def add_parser(subparsers: Any) -> None:
    """Adds `mos` and its own two sub-commands to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "mos",
        help="mean opinion scores: make a rating page, aggregate the answers",
        description="Mean opinion scores, as in the SRGAN paper.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    make = commands.add_parser(
        "make",
        help="make the page on which raters score results from 1 to 5",
        description="Makes one HTML file that needs no network: the results of all methods, one "
        "at a time, in an order of each rater's own, without saying which method made them. The "
        "key beside it, OUT.key.json, says it: keep it from the raters. To have the originals "
        "rated as well, give HR=FOLDER as one of the methods.",
    )
    make.add_argument(
        "methods",
        metavar="FOLDER",
        nargs="+",
        help="a method's results, or NAME=FOLDER; all with the same file names",
    )
    make.add_argument(
        "-o", "--output", metavar="OUT.html", type=Path, required=True, help="the new page"
    )
    make.add_argument(
        "--training",
        metavar="FOLDER",
        type=Path,
        help="HR images, best others than the rated ones, for examples that come first: a "
        "bicubic enlargement is a 1, the original a 5; at most 20 are shown",
    )
    make.add_argument(
        "--scale", metavar="N", type=int, default=4, help="of that enlargement; default: 4"
    )
    make.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of ids and order; default: 0"
    )
    make.set_defaults(func=make_command)
    score = commands.add_parser(
        "score",
        help="aggregate the raters' answers",
        description="Prints each method's mean opinion score with its 95 % confidence interval "
        "(Student's t over the ratings), the same after each rater's bias was removed, and how "
        "often each score was given. A malformed file is named and left out (status 1).",
    )
    score.add_argument(
        "answers",
        metavar="ANSWERS",
        type=Path,
        nargs="+",
        help="the .json files that the raters saved, or folders of them",
    )
    score.add_argument("--key", metavar="OUT.key.json", type=Path, required=True)
    score.add_argument(
        "-o", "--output", metavar="PLOT.png", type=Path, help="also draw the distributions"
    )
    score.add_argument("--json", metavar="FILE", type=Path, help="also write the numbers here")
    score.set_defaults(func=score_command)


def make_command(args: argparse.Namespace) -> int:
    """Makes the page and says what is in it; InputError for what `make_page` refuses."""
    from jaxsr.mos.page import make_page
    from jaxsr.mos.stimuli import find_stimuli

    if not 1 <= args.scale <= 16:
        raise InputError(f"--scale must be 1 to 16, got {args.scale}")
    stimuli = find_stimuli(args.methods, args.seed)
    key = make_page(stimuli, args.output, training=args.training, scale=args.scale)
    methods = len({stimulus.method for stimulus in stimuli})
    megabytes = args.output.stat().st_size / 1e6
    print(
        f"{args.output}  {methods} methods x {len(stimuli) // methods} images = {len(stimuli)} "
        f"pictures, {megabytes:.1f} MB: for the raters"
    )
    print(f"{key}  which method is which: not for the raters")
    return 0


def score_command(args: argparse.Namespace) -> int:
    """Prints and writes the aggregate.

    Returns:
      0, or 1 when files were refused and the others aggregated.

    Raises:
      InputError: for a key that is none, no usable answers, outputs that cannot be written.
    """
    from jaxsr.image.io import Picture, write_image
    from jaxsr.mos.answers import read_key
    from jaxsr.mos.plot import plot
    from jaxsr.mos.score import opinions
    from jaxsr.training.runlog import write_json

    key = read_key(args.key)
    files = _files(args.answers, args.key)
    for option, output in (("-o", args.output), ("--json", args.json)):
        if output is not None and output.resolve() in {f.resolve() for f in (args.key, *files)}:
            raise InputError(f"{option}: {output} is an input; choose another name")
    raters, refused = _read_all(files, key)
    if not raters:
        raise InputError(f"none of {refused} file(s) can be used; see above")
    found = opinions(key.methods, raters)
    print("\n".join(_table(found)))
    ratings = sum(opinion.n for opinion in found)
    print(f"{len(raters)} rater{'s' * (len(raters) > 1)}, {ratings} rating{'s' * (ratings > 1)}")
    if args.output is not None:
        write_image(args.output, Picture(plot(found)))
    if args.json is not None:
        try:
            write_json(args.json, _report(found, key, raters))
        except OSError as error:
            raise InputError(f"--json: cannot write {args.json} ({error.strerror})") from None
    return 1 if refused else 0


def _files(paths: list[Path], key: Path) -> list[Path]:
    """The files, and those in the folders; the key may lie among them."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = [file for file in found if file.resolve() != key.resolve()]
    if not found:
        raise InputError(f"{paths[0]}: no answers (.json) here; give the files that raters saved")
    return found


def _read_all(files: list[Path], key: "Key") -> tuple[list["Answers"], int]:
    """The usable answers, and how many files were refused, each with a line on stderr."""
    from jaxsr.mos.answers import read_answers

    raters: dict[str, tuple[Path, Answers]] = {}
    refused = 0
    for file in files:
        try:
            answers = read_answers(file, key)
            name = answers.rater.casefold()
            if name in raters:
                raise InputError(
                    f"{file}: rater {repr(answers.rater)} has answered in {raters[name][0]}, too; "
                    "keep one of the two"
                )
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            refused += 1
            continue
        raters[name] = file, answers
        if len(answers.scores) < len(key.methods):
            warn(f"{file}: {len(answers.scores)} of {len(key.methods)} pictures rated")
    return [answers for _, answers in raters.values()], refused


def _table(found: list["Opinion"]) -> list[str]:
    width = max(6, *(len(opinion.method) for opinion in found)) + 2
    lines = [
        f"{'method':<{width}}{'MOS':>5}{'± 95 %':>8}{'unbiased':>10}{'± 95 %':>8}{'n':>7}"
        + "".join(f"{score:>6}" for score in range(1, 6))
    ]
    for o in found:
        lines.append(
            f"{o.method:<{width}}{o.mean:>5.2f}{_half(o.half):>8}{o.unbiased_mean:>10.2f}"
            f"{_half(o.unbiased_half):>8}{o.n:>7}" + "".join(f"{n:>6}" for n in o.counts)
        )
    return lines


def _half(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


def _report(found: list["Opinion"], key: "Key", raters: list["Answers"]) -> dict[str, Any]:
    return {
        "page": key.page,
        "raters": [answers.rater for answers in raters],
        "interval": "95 %, Student's t over the ratings",
        "methods": {
            o.method: {
                "mos": o.mean,
                "interval": [o.mean - o.half, o.mean + o.half],
                "unbiased_mos": o.unbiased_mean,
                "unbiased_interval": [
                    o.unbiased_mean - o.unbiased_half,
                    o.unbiased_mean + o.unbiased_half,
                ],
                "n": o.n,
                "counts": dict(zip("12345", o.counts, strict=True)),
            }
            for o in found
        },
    }
