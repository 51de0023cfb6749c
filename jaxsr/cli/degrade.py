"""`jaxsr degrade INPUT... -o OUT`: make LR of HR image files and folders of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxsr.cli.plan import each, forget_programs, make_folder, plan
from jaxsr.errors import InputError

if TYPE_CHECKING:
    from jaxsr.degradations import Pipeline


def add_parser(subparsers: Any) -> None:
    """Adds `degrade` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "degrade",
        help="make LR images of HR images",
        description="Makes 8-bit LR images, PNG, of HR images, which are first cropped at the "
        "right and at the bottom to multiples of the scale. What is random depends on the seed "
        "and the file's name (without its extension), not on the other files.",
    )
    parser.add_argument("inputs", metavar="INPUT", type=Path, nargs="+", help="image or folder")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the new .png for one input file, otherwise a folder, made if missing",
    )
    parser.add_argument(
        "--degradation",
        metavar="NAME|FILE.json",
        default="bicubic",
        help="see --list, or a file with a list of steps; default: bicubic",
    )
    parser.add_argument("--scale", metavar="N", type=int, default=4, help="default: 4")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--preview",
        action="store_true",
        help="write one sheet instead: the most detailed part of one image, some LR images of it "
        "and what was drawn for each",
    )
    parser.add_argument(
        "--list", action=_List, nargs=0, help="list the degradations known by name, and exit"
    )
    parser.set_defaults(func=command)


class _List(argparse.Action):
    """Prints the presets and exits; JAX is loaded only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from jaxsr.degradations import PRESETS

        width = max(map(len, PRESETS))
        for name, preset in PRESETS.items():
            print(f"{name:{width}}  {preset.line}")
        parser.exit(0)


def command(args: argparse.Namespace) -> int:
    """Degrades every input; one that fails is reported on stderr and the others go on.

    Returns:
      0 when all were done, 1 when some failed, 2 when all did.

    Raises:
      InputError: before any work, when outputs would overwrite each other or an input, or the
        degradation makes no sense.
    """
    from jaxsr.degradations import find_spec, get_degradation

    if args.preview and (len(args.inputs) != 1 or args.inputs[0].is_dir()):
        raise InputError("--preview shows one image; give one file")
    if not 0 <= args.seed < 2**32:
        raise InputError(f"--seed {args.seed}: choose one from 0 to {2**32 - 1}")
    jobs, failed = plan(args.inputs, args.output, lambda source: f"{source.stem}.png")
    for _, target in jobs:
        if target.suffix.lower() != ".png":
            raise InputError(f"-o {target}: LR images are written as .png; choose that extension")
    degrade = get_degradation(find_spec(args.degradation), args.scale)
    seen: set[tuple[int, ...]] = set()
    return each(
        jobs,
        failed,
        lambda source, target: _degrade_file(
            source, target, degrade, args.seed, args.preview, seen
        ),
    )


def _degrade_file(
    source: Path,
    target: Path,
    degrade: "Pipeline",
    seed: int,
    preview: bool,
    seen: set[tuple[int, ...]],
) -> str:
    """Degrades one file and tells its two sizes, width x height; notes its shape in `seen`."""
    import numpy as np

    from jaxsr.contact_sheet import contact_sheet
    from jaxsr.data.images import to_8bit
    from jaxsr.degradations.keys import image_key
    from jaxsr.image.io import Picture, read_image, write_image

    hr = to_8bit(read_image(source).pixels)
    (h, w), s = hr.shape[:2], degrade.scale
    if min(h, w) < s:
        raise InputError(f"{source}: {w}x{h} pixels are less than one of LR at scale {s}")
    hr = hr[: h // s * s, : w // s * s]
    key = image_key(seed, source.name)
    make_folder(target.parent)
    if preview:
        lr = contact_sheet(hr, degrade, key)
    else:
        forget_programs(hr.shape, seen)
        lr = np.asarray(degrade(key, hr))
    write_image(target, Picture(lr))
    return f"{source} {w}x{h} -> {target} {lr.shape[1]}x{lr.shape[0]}"
