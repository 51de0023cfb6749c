"""`jaxsr interpolate A B --alpha 0.8 -o C`: networks, or pictures, between two others."""

import argparse
import os
from pathlib import Path
from typing import Any

from jaxsr.cli.plan import each, make_folder, plan
from jaxsr.cli.run import warn
from jaxsr.cli.scoring import add_options
from jaxsr.cli.sweep import sweep
from jaxsr.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Adds `interpolate` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "interpolate",
        help="mix two networks, or the pictures of two",
        description="Writes (1 - alpha) A + alpha B, as the ESRGAN paper does: of the weights of "
        "two networks, B trained from A, or of two pictures or folders of pictures. With --data "
        "and several alphas the networks between A and B are scored, for `jaxsr plane --curve`.",
    )
    parser.add_argument(
        "a", metavar="A", type=Path, help="run folder, file of weights, picture or folder of them"
    )
    parser.add_argument("b", metavar="B", type=Path, help="likewise; alpha 1 is B")
    parser.add_argument(
        "--alpha",
        metavar="X[,Y...]",
        required=True,
        help="from 0 (A) to 1 (B); 0.8 is the paper's compromise; several with --data",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the new weights (.safetensors, .npz or .pth), picture or folder of pictures; with "
        "--data the folder of alpha_0.80.json, ...",
    )
    parser.add_argument("--scale", metavar="N", type=int, help="where the weights do not tell it")
    parser.add_argument(
        "--names",
        metavar="TOOLBOX",
        help="whose names the new weights have, as in `jaxsr convert`",
    )
    sweep = parser.add_argument_group("scoring each mix, as eval.py does")
    sweep.add_argument("--data", metavar="DIR[,DIR...]", help="the test sets")
    sweep.add_argument(
        "--images",
        action="store_true",
        help="mix the 8-bit results of A and B instead of their weights",
    )
    add_options(sweep)
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Mixes, or scores the mixes.

    Raises:
      InputError: before anything is written, for an alpha outside [0, 1], inputs that cannot be
        read, do not belong together or would be overwritten, or options that do not.
    """
    alphas = _alphas(args.alpha)
    kind = _kind(args.a)
    if _kind(args.b) != kind:
        raise InputError(f"{args.a} is {kind}, {args.b} {_kind(args.b)}; give two of a kind")
    if args.data is None and len(alphas) > 1:
        raise InputError(f"--alpha {args.alpha}: several are scored, with --data; give one")
    scoring = ("data", "images", "protocol", "degradation", "metrics", "niqe_model")
    if kind != "a network":
        _refuse(args, ("scale", "names", *scoring), "is of networks, and A and B are pictures")
        return _mix_pictures(args, alphas[0])
    if args.data is None:
        _refuse(args, scoring[1:], "is of scoring; give --data as well")
        return _mix_weights(args, alphas[0])
    _refuse(args, ("names",), "is of weights, and scoring writes none")
    return sweep(args, alphas)


def _alphas(text: str) -> list[float]:
    from jaxsr.interop.interpolate import check_alpha

    alphas: list[float] = []
    for part in text.split(","):
        try:
            alpha = float(part)
        except ValueError:
            raise InputError(f"--alpha: '{part}' is no number; give one such as 0.8") from None
        check_alpha(alpha)
        alpha = abs(alpha)  # -0 is 0
        if alpha in alphas:
            raise InputError(f"--alpha: {alpha:g} is named twice")
        alphas.append(alpha)
    return alphas


def _kind(path: Path) -> str:
    """What is there: "a network", "a picture" or "a folder of pictures"."""
    from jaxsr.image.io import EXTENSIONS

    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if not path.is_dir():
        return "a picture" if path.suffix.lower() in EXTENSIONS else "a network"
    # A run folder holds pictures, too.
    run = (path / "checkpoints").is_dir()
    pictures = any(file.suffix.lower() in EXTENSIONS for file in path.iterdir())
    return "a folder of pictures" if pictures and not run else "a network"


def _refuse(args: argparse.Namespace, options: tuple[str, ...], why: str) -> None:
    for option in options:
        if getattr(args, option) not in (None, False):
            raise InputError(f"--{option.replace('_', '-')} {why}")


def _mix_weights(args: argparse.Namespace, alpha: float) -> int:
    """The network between, as a file."""
    from jaxsr.interop.interpolate import interpolate_weights, shared_network
    from jaxsr.interop.weights import save_weights
    from jaxsr.loading import load_model

    for path in (args.a, args.b):
        if os.path.realpath(args.output) == os.path.realpath(path):
            raise InputError(f"{args.output}: would overwrite an input; choose another -o")
    a, b = (
        load_model(path, scale=args.scale, warn=warn, any_scale=True) for path in (args.a, args.b)
    )
    module, spec = shared_network(a, b, (str(args.a), str(args.b)))
    between = interpolate_weights(a[1], b[1], alpha)
    names = save_weights(args.output, module, between, spec, names=args.names)
    scales = ", ".join(f"x{scale}" for scale in spec["scales"])
    print(f"{spec['config']['model']} {scales}, alpha {alpha:g} of {args.a} to {args.b}")
    print(f"-> {args.output} ({names})")
    return 0


def _mix_pictures(args: argparse.Namespace, alpha: float) -> int:
    """Every picture between; one that fails is reported on stderr and the others go on."""
    from jaxsr.data.images import some
    from jaxsr.image.io import find_images

    others = {args.a: args.b}
    if args.a.is_dir():
        mine, theirs = ({file.name: file for file in find_images(p)} for p in (args.a, args.b))
        for names, folder in ((mine.keys() - theirs, args.b), (theirs.keys() - mine, args.a)):
            if names:
                raise InputError(f"{folder}: has no {some(sorted(names))}, as the other folder has")
        others = {file: theirs[name] for name, file in mine.items()}
    jobs, failed = plan([args.a], args.output)
    originals = {file.resolve() for file in others.values()}
    for _, target in jobs:
        if target.resolve() in originals:
            raise InputError(f"{target}: would overwrite an input; choose another -o")
    return each(
        jobs, failed, lambda source, target: _mix_files(source, others[source], target, alpha)
    )


def _mix_files(a: Path, b: Path, target: Path, alpha: float) -> str:
    """Mixes two files and tells the size, width x height."""
    from jaxsr.image.io import Picture, check_format, read_image, write_image
    from jaxsr.interop.interpolate import interpolate_pixels

    first, second = read_image(a), read_image(b)
    if _described(first) != _described(second):
        raise InputError(
            f"{a} is {_described(first)}, {b} {_described(second)}; only pictures of one size and "
            "kind can be mixed"
        )
    if first.icc is not None and second.icc is not None and first.icc != second.icc:
        raise InputError(f"{a} and {b} have different ICC profiles; convert one to the other's")
    opacity = None
    if first.alpha is not None and second.alpha is not None:
        opacity = interpolate_pixels(first.alpha, second.alpha, alpha)
    pixels = interpolate_pixels(first.pixels, second.pixels, alpha)
    picture = Picture(pixels, opacity, first.icc or second.icc)
    check_format(target, picture)
    make_folder(target.parent)
    write_image(target, picture)
    return f"{a}, {b} -> {target} {pixels.shape[1]}x{pixels.shape[0]}"


def _described(picture: Any) -> str:
    """Such as "640x480 RGB of 8 bits, transparent"."""
    height, width, channels = picture.pixels.shape
    colour = "RGB" if channels == 3 else "gray"
    transparent = "" if picture.alpha is None else " with transparency"
    return f"{width}x{height} {colour} of {picture.pixels.itemsize * 8} bits{transparent}"
