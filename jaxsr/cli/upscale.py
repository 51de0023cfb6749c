"""`jaxsr upscale INPUT... -o OUT`: enlarge image files and folders of them."""

import argparse
from pathlib import Path
from typing import Any

from jaxsr.cli.plan import each, forget_programs, make_folder, plan
from jaxsr.cli.run import warn
from jaxsr.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Adds `upscale` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "upscale",
        help="enlarge images",
        description="Enlarges images, keeping their format, depth, transparency and ICC profile.",
    )
    parser.add_argument("inputs", metavar="INPUT", type=Path, nargs="+", help="image or folder")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the new file for one input file, otherwise a folder, made if missing; a new folder "
        "with a dot in its name needs a / at its end",
    )
    parser.add_argument("--model", metavar="NAME", help="see `jaxsr models`")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--weights",
        metavar="FILE",
        type=Path,
        help=".pth, .pt, .safetensors, .npz or .mat; the network is recognised",
    )
    what.add_argument(
        "--checkpoint", metavar="DIR", type=Path, help="the --workdir of a training run"
    )
    parser.add_argument(
        "--scale", metavar="N", type=int, help="default: that of the weights, or 4 without any"
    )
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Enlarges every input; one that fails is reported on stderr and the others go on.

    Returns:
      0 when all were done, 1 when some failed, 2 when all did.

    Raises:
      InputError: before any work, when outputs would overwrite each other or an input, or the
        model cannot be made.
    """
    jobs, failed = plan(args.inputs, args.output)
    model, variables = _model(args.model, args.checkpoint or args.weights, args.scale)
    seen: set[tuple[int, ...]] = set()
    return each(
        jobs,
        failed,
        lambda source, target: _upscale_file(source, target, model, variables, seen),
    )


def _model(name: str | None, path: Path | None, scale: int | None) -> tuple[Any, Any]:
    """The model and its variables, from a run or a file, or, for interpolation, by name alone."""
    if path is not None:
        from jaxsr.loading import load_model

        model, variables, _ = load_model(path, model=name, scale=scale, warn=warn)
        return model, variables
    if name is None:
        raise InputError("no model; give --model NAME, --weights FILE or --checkpoint DIR")
    from jaxsr.models import MODELS, create_model

    model = create_model(name, scale=4 if scale is None else scale)
    if MODELS[name].needs_weights:
        raise InputError(
            f"{name} has no weights of its own; give --weights FILE or --checkpoint DIR"
        )
    return model, {}


def _upscale_file(
    source: Path, target: Path, model: Any, variables: Any, seen: set[tuple[int, ...]]
) -> str:
    """Enlarges one file and tells its two sizes, width x height; notes its shape in `seen`."""
    from jaxsr.image.io import check_format, read_image, write_image
    from jaxsr.inference import upscale_picture

    picture = read_image(source)
    check_format(target, picture)  # all that can fail, before the long part
    make_folder(target.parent)
    forget_programs(picture.pixels.shape, seen)
    result = upscale_picture(picture, model, variables)
    write_image(target, result)
    (h, w), (big_h, big_w) = picture.pixels.shape[:2], result.pixels.shape[:2]
    return f"{source} {w}x{h} -> {target} {big_w}x{big_h}"
