"""Scores a model on test sets under one protocol of the literature.

    python eval.py --model=NAME|--checkpoint=DIR|--weights=FILE --scale=4 --data=DIR[,DIR...]
                   [--protocol=rgb|y-uint8] [--degradation=NAME|FILE.json] [--json=FILE]
                   [--metrics=psnr,ssim,...|help] [--niqe-model=FILE] [--save=DIR]

Each DIR holds HR/ (and optionally LR_x4/), or HR images directly; NAME:DIR and NAME/TRACK:DIR
(set14:Set14, div2k/unknown_x4:DIV2K) are checked; docs/datasets.md tells more.
"""

import argparse
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxsr.cli.run import run, warn
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
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--save", type=Path, help="also write the results into this folder")
    args = parser.parse_args(argv)

    from tqdm import tqdm

    from jaxsr.degradations import find_spec
    from jaxsr.evaluation import degradation_of, evaluate, make_scorer, read_test_set
    from jaxsr.metrics import get_protocol
    from jaxsr.metrics.niqe import load_niqe_model
    from jaxsr.metrics.registry import get_measures

    measures = get_measures("psnr,ssim" if args.metrics is None else args.metrics)
    if args.niqe_model is not None and "niqe" not in measures:
        raise InputError("--niqe-model: niqe is not among the --metrics; add it or leave this out")
    name, model, variables, config = _load(args.model, args.checkpoint or args.weights, args.scale)
    usual = "y-uint8" if model.colour == "y" else "rgb"
    protocol = get_protocol(args.protocol or config.get("protocol", usual))
    degradation = find_spec(args.degradation or config.get("degradation", "bicubic"))
    pristine = load_niqe_model(args.niqe_model) if "niqe" in measures else None
    asked = {key: m.make(model.scale, pristine) for key, m in measures.items()}
    scorer = make_scorer(model, protocol, degradation_of(degradation, model.scale))
    folders = _folders(args.data)
    if args.json is not None and not _can_hold(args.json):
        raise InputError(f"--json: cannot write {args.json}; name a file in a folder that exists")
    # Whatever may be wrong with an image or a place to write shows before the first is scored.
    sets = {
        key: read_test_set(path, model.scale, protocol, degradation)
        for key, path in folders.items()
    }
    for images in sets.values():
        for image in images:
            for measure in measures.values():
                measure.refuse_small(image.name, image.hr.shape, model.scale)
    targets: dict[str, list[Path]] = {}
    if args.save is not None:
        targets = _targets(args.save, folders, sets, model.scale)
        _make_folders([args.save / key for key in sets])

    made = degradation if isinstance(degradation, str) else args.degradation or "the run's own"
    print(f"{name} x{model.scale}, protocol {protocol.name}, degradation {made}")
    columns = [max(10, len(measure.title) + 2) for measure in measures.values()]
    first = max(16, *(len(key) + 2 for key in sets))
    titles = (f"{m.title:>{width}}" for m, width in zip(measures.values(), columns, strict=True))
    print(f"{'set':<{first}}{''.join(titles)}{'images':>9}{'seconds':>10}")
    report: dict[str, Any] = {}
    for key, images in sets.items():

        def watch(images: Sequence[Any], key: str = key) -> Any:
            return tqdm(images, desc=key, unit="image", leave=False, disable=None, delay=2)

        result = evaluate(scorer, variables, images, watch)
        values = _values(asked, watch(list(zip(result.images, images, strict=True))), protocol)
        whole = {name: m.over_set(values[name]) for name, m in measures.items()}
        cells = (
            f"{measure.text(whole[name]):>{width}}"
            for (name, measure), width in zip(measures.items(), columns, strict=True)
        )
        print(f"{key:<{first}}{''.join(cells)}{len(images):>9}{result.seconds:>10.1f}")
        report[key] = {**whole, "n": len(images)}
        report[key]["images"] = {
            image.name: {name: values[name][i] for name in measures}
            for i, image in enumerate(images)
        }
        if args.save is not None:
            _save(targets[key], images, result.images, model.scale)
    if args.metrics is not None:
        for key, measure in measures.items():
            print(f"{key}: agrees with {measure.reference}")
    if pristine is not None:
        print(f"niqe: by the model {pristine.name}")
    if args.json is not None:
        head = {"model": name, "scale": model.scale, "protocol": protocol.name}
        head["degradation"] = degradation
        if pristine is not None:
            head["niqe_model"] = pristine.name
        _write_json(args.json, {**head, "sets": report})
    return 0


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


def _values(
    asked: Mapping[str, Any], scored: Iterable[tuple[Any, Any]], protocol: Any
) -> dict[str, list[float]]:
    """Every measure's value of every image."""
    from jaxsr.image.colour import luma, to_float, to_uint8

    values: dict[str, list[float]] = {name: [] for name in asked}
    for score, image in scored:
        hr = to_uint8(luma(to_float(image.hr))) if protocol.on_luma else image.hr
        for name, measure in asked.items():
            if name in ("psnr", "ssim"):
                value = getattr(score, name)
            else:
                value = float(measure(score.sr[None], hr[None], score.lr[None])[0])
            if math.isnan(value):
                warn(f"{image.name}: {name} has no value for a picture so flat")
            values[name].append(value)
    return values


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


def _folders(data: str) -> dict[str, Path]:
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


def _write_json(path: Path, value: Any) -> None:
    from jaxsr.training.runlog import write_json

    try:
        write_json(path, value)
    except OSError as error:
        raise InputError(f"--json: cannot write {path} ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(run(main))
