"""The `jaxsr` command."""

import argparse
import sys
from collections.abc import Sequence

from jaxsr.cli import (
    compare,
    convert,
    degrade,
    interpolate,
    models,
    mos,
    niqe_fit,
    plane,
    prepare,
    upscale,
)
from jaxsr.cli.run import run

_COMMANDS = (
    prepare,
    degrade,
    upscale,
    convert,
    interpolate,
    models,
    compare,
    plane,
    mos,
    niqe_fit,
)


def main(argv: Sequence[str]) -> int:
    """Parses the command line and calls the sub-command; returns the exit status."""
    from importlib.metadata import version

    parser = argparse.ArgumentParser(prog="jaxsr", description="Single-image super-resolution.")
    parser.add_argument("--version", action="version", version=version("jax-superres"))
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    args = parser.parse_args(argv)
    return args.func(args)


def entry() -> None:
    """The console script."""
    sys.exit(run(main))


if __name__ == "__main__":
    entry()
