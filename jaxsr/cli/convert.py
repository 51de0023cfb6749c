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
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Converts one file and says what it was and what it became."""
    import jax

    from jaxsr.interop.weights import save_weights
    from jaxsr.loading import load_model

    if os.path.realpath(args.output) == os.path.realpath(args.input):
        raise InputError(f"{args.output}: would overwrite the input; choose another OUT")
    module, variables, spec = load_model(
        args.input, model=args.model, scale=args.scale, warn=warn, any_scale=True
    )
    names = save_weights(args.output, module, variables, spec, names=args.names)
    scales = ", ".join(f"x{scale}" for scale in spec.get("scales", [module.scale]))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    source = spec.get("layout", "run")
    print(f"{spec['config']['model']} {scales}, {parameters:,} parameters")
    print(f"{args.input} ({source}) -> {args.output} ({names})")
    return 0
