"""Trains a super-resolution network.

    python train.py --config=configs/NAME.py[:VARIANT] --workdir=DIR [--config.FIELD=VALUE ...]

Started again with the same --workdir it goes on where it was.
"""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence

from jaxsr.cli.run import run
from jaxsr.errors import InputError


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="train.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="config file, :VARIANT after it")
    parser.add_argument("--workdir", required=True, help="the run folder")
    args, rest = parser.parse_known_args(argv)

    from jaxsr.training.config import load_config, override

    config = load_config(args.config)
    for argument in rest:
        name, equals, value = argument.removeprefix("--config.").partition("=")
        if not argument.startswith("--config.") or not equals:
            raise InputError(f"unknown argument {argument}; fields are --config.FIELD=VALUE")
        config = override(config, name, value)

    from tqdm import tqdm

    from jaxsr.training.loop import train
    from jaxsr.training.validation import table

    def say(line: str) -> None:
        tqdm.write(line)  # does not tear the progress bar
        sys.stdout.flush()

    outcome = train(config, args.workdir, say=say)
    if outcome.stopped_by is not None:
        return 128 + signal.Signals[outcome.stopped_by].value
    workdir = shlex.quote(args.workdir)
    print(f"\nuse it: jaxsr upscale PICTURE -o OUT --checkpoint {workdir}")
    if outcome.comparison is not None:
        print(f"\n{table(outcome.comparison)}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
