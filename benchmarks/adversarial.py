"""Time of ESRGAN's adversarial training step, next to the same in PyTorch.

    python -m benchmarks.adversarial [--full] [--rounds 5] [--steps N] [--markdown FILE]

One step is what ESRGAN trains by: RRDBNet's L1 (weight 0.01), L1 of VGG features before the ReLU
(1) and relativistic average GAN (0.005) against the VGG-style discriminator, an update of both by
Adam, the moving average of RRDBNet. The features are VGG16's conv5_3 with random weights, three
convolutions less than ESRGAN's VGG19 has up to conv5_4. LR, x4, is given.

By default a tiny one for CPUs: 2 blocks of 32 features, growth 16, a discriminator of 16 features,
4 patches of 128 pixels. --full is the paper's, for a GPU: 23 blocks of 64 features, growth 32, a
discriminator of 64 features, 16 patches of 128 pixels; there the peer is also compiled by
torch.compile. In float32, with the TF32 that each program allows by default: jaxsr in convolutions
and dense layers, PyTorch in convolutions.

Each program is a process of its own on the same device (a CPU's cores, all or those of `taskset`),
with the same random weights and images. They take turns of --steps steps, and --rounds of them; the
median counts. Keep all else off the cores: PyTorch's threads wait for each other.
`first s` is the time of the first step, compilation included. The losses of the first two steps
are compared, so that the programs are known to compute the same; if they differ there is no
table. The peer (benchmarks/pytorch/esrgan_training.py) is plain PyTorch, channels last, with fused
Adam, in the order of BasicSR. Needs PyTorch (`pip install -e '.[torch]'`).

`ratio` is this program's time / jaxsr's: above 1, jaxsr is faster.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.esrgan_step import Problem, Size, prepare_jaxsr, prepare_torch

_ROOT = Path(__file__).parents[1]
_HEAD = ("program", "step s", "ratio", "first s", "difference")


_SIZES = {
    "tiny": Size(2, 32, 16, 16, 4, 3, ("jaxsr", "PyTorch")),
    "full": Size(23, 64, 32, 64, 16, 20, ("jaxsr", "PyTorch", "PyTorch, compiled")),
}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="ESRGAN as published, for a GPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="of a turn; default: 3, in full 20")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.worker:
        return _work(**json.loads(args.worker))

    size = "full" if args.full else "tiny"
    programs = _SIZES[size].programs
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_Worker(name, size, args.steps)) for name in programs]
        try:
            differences = [_difference(workers[0], worker) for worker in workers]
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        # By rounds, so that all see the same machine.
        times = [[worker.measure() for worker in workers] for _ in range(args.rounds)]
    rows = [
        (
            worker.program,
            f"{statistics.median(round_[i] for round_ in times):.3f}",
            f"{statistics.median(round_[i] / round_[0] for round_ in times):.2f}",
            f"{worker.found['first']:.1f}",
            f"{differences[i]:.0e}" if i else "-",
        )
        for i, worker in enumerate(workers)
    ]
    print(f"{size}, {workers[0].found['device']}")
    for row in (_HEAD, *rows):
        print(f"{row[0]:<20}" + "".join(f"{cell:>12}" for cell in row[1:]))
    if args.markdown:
        cells = [_HEAD, ("---", *("--:",) * (len(_HEAD) - 1)), *rows]
        args.markdown.write_text("".join(f"| {' | '.join(row)} |\n" for row in cells))
    return 0


class _Worker(contextlib.AbstractContextManager):
    """A process that takes a turn whenever it is asked to."""

    def __init__(self, program: str, size: str, steps: int | None) -> None:
        self.program = program
        options = json.dumps({"program": program, "size": size, "steps": steps})
        # On a GPU jaxsr leaves room for the peers, and their JAX, which only makes weights, has no
        # use for it.
        more = {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.4"}
        if program != "jaxsr":
            more = {"JAX_PLATFORMS": "cpu"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.adversarial", "--worker", options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env=more | os.environ if program == "jaxsr" else os.environ | more,
        )
        self.found = self._answer()  # waits: the next must not slow this one down

    def measure(self) -> float:
        """Seconds of a step, the mean of one turn."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __exit__(self, *unused: object) -> None:
        self._process.communicate()  # closes its input, which ends it


def _difference(ours: _Worker, peer: _Worker) -> float:
    """The largest relative difference of a loss; ValueError if it is too large."""
    if ours.found["device"] != peer.found["device"]:
        devices = f"{ours.found['device']} and {peer.found['device']}"
        raise ValueError(f"{ours.program} and {peer.program} run on different devices: {devices}")
    # TF32 has 10 bits.
    tolerance = 1e-3 if ours.found["device"] == "CPU" else 1e-2
    largest = 0.0
    for step, (mine, others) in enumerate(
        zip(ours.found["losses"], peer.found["losses"], strict=True)
    ):
        for name in mine:
            difference = abs(mine[name] / others[name] - 1)
            if not difference <= tolerance:
                losses = f"{mine[name]:.6g} and {others[name]:.6g}"
                raise ValueError(
                    f"{ours.program} and {peer.program} differ in step {step}: {name} {losses}"
                )
            largest = max(largest, difference)
    return largest


def _work(program: str, size: str, steps: int | None) -> int:
    """Prints what is known after two steps, and seconds a step for every line on stdin."""
    problem = Problem(_SIZES[size])
    if program == "jaxsr":
        device, step = prepare_jaxsr(problem)
    else:
        device, step = prepare_torch(problem, compiled=program.endswith("compiled"))
    start = time.perf_counter()
    first_losses = step()()
    first = time.perf_counter() - start
    found = {"device": device, "first": first, "losses": [first_losses, step()()]}
    print(json.dumps(found), flush=True)
    count = steps or _SIZES[size].steps
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(count - 1):
            step()
        step()()  # the device works in order: waits for all
        print((time.perf_counter() - start) / count, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
