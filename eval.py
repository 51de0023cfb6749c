"""Scores a model on test sets under one protocol of the literature.

    python eval.py --model=NAME|--checkpoint=DIR|--weights=FILE --scale=4 --data=DIR[,DIR...]
                   [--protocol=rgb|y-uint8] [--degradation=NAME|FILE.json] [--json=FILE]
                   [--metrics=psnr,ssim,...|help] [--niqe-model=FILE] [--save=DIR]

Each DIR holds HR/ (and optionally LR_x4/), or HR images directly; NAME:DIR and NAME/TRACK:DIR
(set14:Set14, div2k/unknown_x4:DIV2K) are checked; docs/datasets.md tells more.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxsr.cli.run import run, warn
from jaxsr.cli.scoring import (
    add_options,
    make_scoring,
    measure_set,
    print_notes,
    read_sets,
    report,
    set_folders,
    wanted_measures,
    write_report,
)
from jaxsr.errors import InputError


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="eval.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", help="an interpolation (nearest, bilinear, bicubic, lanczos), or what is loaded"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", type=Path, help="the --workdir of a training run")
    what.add_argument(
        "--weights", type=Path, help=".pth, .pt, .safetensors, .npz or .mat; it is recognised"
    )
    parser.add_argument("--scale", type=int, help="default: that of the weights")
    parser.add_argument("--data", required=True, help="folders, separated by commas")
    add_options(parser)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--save", type=Path, help="also write the results into this folder")
    args = parser.parse_args(argv)

    from tqdm import tqdm

    from jaxsr.evaluation import evaluate
    from jaxsr.metrics.registry import cells, titles

    measures = wanted_measures(args)
    name, model, variables, config = _load(args.model, args.checkpoint or args.weights, args.scale)
    scoring = make_scoring(args, measures, model, config)
    folders = set_folders(args.data)
    if args.json is not None and not _can_hold(args.json):
        raise InputError(f"--json: cannot write {args.json}; name a file in a folder that exists")
    # Whatever may be wrong with an image or a place to write shows before the first is scored.
    sets = read_sets(scoring, folders)
    targets: dict[str, list[Path]] = {}
    if args.save is not None:
        targets = _targets(args.save, folders, sets, model.scale)
        _make_folders([args.save / key for key in sets])

    print(f"{name} x{model.scale}, protocol {scoring.protocol.name}, degradation {scoring.made}")
    first = max(16, *(len(key) + 2 for key in sets))
    print(f"{'set':<{first}}{titles(measures)}{'images':>9}{'seconds':>10}")
    found: dict[str, Any] = {}
    for key, images in sets.items():

        def watch(images: Sequence[Any], key: str = key) -> Any:
            return tqdm(images, desc=key, unit="image", leave=False, disable=None, delay=2)

        result = evaluate(scoring.score, variables, images, watch)
        found[key] = measure_set(scoring, images, result.images, watch)
        row = cells(measures, found[key])
        print(f"{key:<{first}}{row}{len(images):>9}{result.seconds:>10.1f}")
        if args.save is not None:
            _save(targets[key], images, result.images, model.scale)
    print_notes(args, scoring)
    if args.json is not None:
        write_report(args.json, report(name, scoring, found), "--json")
    return 0


def _load(
    name: str | None, path: Path | None, scale: int | None
) -> tuple[str, Any, Any, dict[str, Any]]:
    """Name, module, variables, and the training config (less without a run)."""
    if path is not None:
        from jaxsr.loading import load_model

        model, variables, spec = load_model(path, model=name, scale=scale, warn=warn)
        return spec["config"]["model"], model, variables, spec["config"]
    from jaxsr.models import MODELS, create_model

    if name is None:
        raise InputError("no model; give --model=NAME, --weights=FILE or --checkpoint=DIR")
    if scale is None:
        raise InputError("--scale: say how many times to enlarge, such as --scale=4")
    model = create_model(name, scale=scale)
    if MODELS[name].needs_weights:
        raise InputError(
            f"{name} has no weights of its own; give --weights=FILE or --checkpoint=DIR"
        )
    return name, model, {}, {}


def _can_hold(path: Path) -> bool:
    """Whether a file can be written there, as far as can be told before the long part."""
    return path.parent.is_dir() and os.access(path.parent, os.W_OK) and not path.is_dir()


def _targets(
    save: Path, folders: dict[str, Path], sets: Mapping[str, Sequence[Any]], scale: int
) -> dict[str, list[Path]]:
    """Where the result of each image of each set goes: SAVE/SET/STEM.png.

    Refuses to write over an image of the sets, or two results to one file.
    """
    from jaxsr.data.locate import locate_pairs
    from jaxsr.data.records import find_dataset

    inputs: set[Path] = set()
    for folder in folders.values():
        if find_dataset(folder) is not None:
            continue
        located = locate_pairs(folder, scale, "validation")
        files = [*located.hr, *(file for lr in located.lr or [] for file in lr), *located.over]
        inputs.update(file.resolve() for file in files)
    taken: dict[Path, str] = {}
    targets: dict[str, list[Path]] = {}
    for key, images in sets.items():
        targets[key] = [save / key / f"{Path(image.name).stem}.png" for image in images]
        for image, target in zip(images, targets[key], strict=True):
            place = target.resolve()
            if place in inputs:
                raise InputError(f"--save: {target} is an input; choose another folder")
            if place in taken:
                raise InputError(
                    f"--save: {taken[place]} and {image.name} would both be written to {target}; "
                    "rename one"
                )
            taken[place] = image.name
    return targets


def _make_folders(folders: Sequence[Path]) -> None:
    """Makes the folders for the results and sees that files can be written there."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--save: cannot make {folder} ({error.strerror})") from None
        if not os.access(folder, os.W_OK):
            raise InputError(f"--save: cannot write into {folder}; choose another folder")


def _save(
    targets: Sequence[Path], images: Sequence[Any], scores: Sequence[Any], scale: int
) -> None:
    """Writes each result as a PNG; luma results get bicubic's chroma."""
    from jaxsr.image.io import Picture, write_image
    from jaxsr.side_by_side import colour_of

    for target, image, score in zip(targets, images, scores, strict=True):
        write_image(target, Picture(colour_of(score.sr, image.hr, scale), None))


if __name__ == "__main__":
    sys.exit(run(main))
