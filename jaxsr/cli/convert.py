"""`jaxsr convert IN OUT`: weights from one file format, and one toolbox's names, to another's."""

import argparse
import os
from pathlib import Path
from typing import Any

from jaxsr.cli.run import warn
from jaxsr.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Adds `convert` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "convert",
        help="convert weights",
        description="Reads the weights of a run or of a file (.pth, .pt, .safetensors, .npz, .mat; "
        "the network is recognised) and writes them as .safetensors or .npz for jaxsr, or as .pth "
        "for PyTorch toolboxes. Nothing that a file names is ever executed.",
    )
    parser.add_argument("input", metavar="IN", type=Path, help="file of weights or run folder")
    parser.add_argument("output", metavar="OUT", type=Path, help="the new file; its suffix tells")
    parser.add_argument("--model", metavar="NAME", help="what IN must hold; see `jaxsr models`")
    parser.add_argument("--scale", metavar="N", type=int, help="where the file does not tell it")
    parser.add_argument(
        "--names",
        metavar="TOOLBOX",
        help="whose names OUT has: jaxsr (default but for .pth), or a toolbox such as BasicSR",
    )
    parser.add_argument(
        "--network",
        metavar="NETWORK",
        default="ema",
        help="which network of a run: ema (default), the generator with the moving average of its "
        "parameters where the run keeps one; raw, with the parameters themselves; discriminator, "
        "or discriminator:NAME where there are several (.safetensors or .npz only)",
    )
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Converts one file and says what it was and what it became."""
    if os.path.realpath(args.output) == os.path.realpath(args.input):
        raise InputError(f"{args.output}: would overwrite the input; choose another OUT")
    network, colon, name = args.network.partition(":")
    if network == "discriminator":
        _discriminator(args, name if colon else None)
    elif args.network in ("ema", "raw"):
        _generator(args, averaged=network == "ema")
    else:
        raise InputError(
            f"--network {args.network}: choose ema, raw, discriminator or discriminator:NAME"
        )
    return 0


def _generator(args: argparse.Namespace, *, averaged: bool) -> None:
    from jaxsr.interop.weights import save_weights
    from jaxsr.loading import load_model

    module, variables, spec = load_model(
        args.input,
        model=args.model,
        scale=args.scale,
        averaged=averaged,
        warn=warn,
        any_scale=True,
    )
    names = save_weights(args.output, module, variables, spec, names=args.names)
    scales = ", ".join(f"x{scale}" for scale in spec.get("scales", [module.scale]))
    source = spec.get("layout", "run")
    _report(args, f"{spec['config']['model']} {scales}", variables, source, names)


def _discriminator(args: argparse.Namespace, name: str | None) -> None:
    from jaxsr.interop.discriminators import save_discriminator
    from jaxsr.loading import load_discriminator

    for option in ("model", "scale", "names"):
        if getattr(args, option) is not None:
            raise InputError(f"--{option} is of networks that enlarge; drop it, or --network")
    _, variables, spec = load_discriminator(args.input, name, warn=warn)
    save_discriminator(args.output, variables, spec)
    said = spec["discriminator"]
    source = "run" if args.input.is_dir() else "jaxsr"
    _report(args, f"discriminator {said['model']} on {said['on']}", variables, source, "jaxsr")


def _report(
    args: argparse.Namespace, what: str, variables: dict[str, Any], source: str, names: str
) -> None:
    import jax

    parameters = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    print(f"{what}, {parameters:,} parameters")
    print(f"{args.input} ({source}) -> {args.output} ({names})")
