"""Milliseconds an image of SSIM, MS-SSIM, NIQE and LPIPS, next to the usual PyTorch package.

    python -m benchmarks.measures [--data FOLDER] [--images 100] [--rounds 5] [--markdown FILE]

Every HR image of a folder (default: data/BSD100/HR in the folder that JAXSR_REFERENCE names)
against itself made small by 4 and large again, both as uint8 arrays in memory, one image after the
other as evaluations do; SSIM, MS-SSIM and LPIPS of RGB, NIQE of the enlarged image's rounded luma.
Each program is a process of its own with all cores. They take turns, one pass over all images
each; the median of --rounds passes counts. `first` is the time, once, for the first image of every
size, which jaxsr compiles for. The two programs' values are compared, so that they are known to
compute the same.

Peers:
* SSIM, MS-SSIM: the package pytorch_msssim (`pip install pytorch_msssim`);
* LPIPS: AlexNet and the heads in PyTorch operations (benchmarks/pytorch/perceptual.py), since the
  package lpips needs torchvision only to have the same AlexNet. The weights are jaxsr's
  (`pip install -e '.[perceptual]'`);
* NIQE: NumPy and SciPy, block after block (benchmarks/pytorch/niqe.py), as the toolboxes do. The
  pristine model is NIQE's own in jaxsr's cache, else weights/niqe_modelparameters.mat in
  JAXSR_REFERENCE.

What is not installed shows as such. `ratio` is the peer's time / jaxsr's: above 1, jaxsr is faster.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_ROOT = Path(__file__).parents[1]
_REFERENCE = _ROOT / os.environ.get("JAXSR_REFERENCE", "../shared")
_SCALE = 4
_MEASURES = {  # name -> title, peer
    "ssim": ("SSIM", "pytorch_msssim"),
    "ms_ssim": ("MS-SSIM", "pytorch_msssim"),
    "lpips": ("LPIPS (alex)", "PyTorch"),
    "niqe": ("NIQE", "NumPy, SciPy"),
}
_HEAD = (
    *("measure", "peer", "jaxsr ms", "peer ms", "ratio"),
    *("jaxsr first s", "peer first s", "difference"),
)

# of SR and HR, uint8 [H, W, 3]
Measure = Callable[[np.ndarray, np.ndarray], float]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_REFERENCE / "data" / "BSD100" / "HR")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.worker:
        return _work(*json.loads(args.worker))

    from jaxsr.errors import InputError

    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pairs.npz"
            _make_pairs(args.data, args.images, file)
            rows = _rows(file, args.rounds)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(_aligned(rows))
    if args.markdown:
        cells = [_HEAD, ("---",) * len(_HEAD), *rows]
        args.markdown.write_text("".join(f"| {' | '.join(row)} |\n" for row in cells))
    return 0


def _make_pairs(folder: Path, count: int, file: Path) -> None:
    """HR of whole multiples of the scale and SR of it: arrays hr0, sr0, hr1, ..."""
    from jaxsr.data import open_source
    from jaxsr.image import imresize
    from jaxsr.metrics.protocol import crop_to_multiple

    source = open_source(folder)
    pairs = {}
    for i in range(min(count, len(source))):
        hr = crop_to_multiple(source[i], _SCALE)
        pairs[f"hr{i}"] = hr
        pairs[f"sr{i}"] = np.asarray(imresize(imresize(hr, 1 / _SCALE), _SCALE))
    np.savez(file, **pairs)


def _rows(file: Path, rounds: int) -> list[tuple[str, ...]]:
    with contextlib.ExitStack() as stack:
        ours, theirs = (stack.enter_context(_Worker(p, file)) for p in ("jaxsr", "peer"))
        return [_row(name, ours, theirs, rounds) for name in _MEASURES]


def _row(name: str, ours: "_Worker", theirs: "_Worker", rounds: int) -> tuple[str, ...]:
    """A ratio is the median of the rounds'."""
    found = [(ours.ask(name), theirs.ask(name)) for _ in range(rounds)]
    missing = [answer for answer in found[0] if isinstance(answer, str)]
    if missing:
        return (*_MEASURES[name], *"-" * (len(_HEAD) - 3), missing[0])
    times = [[answer["ms"] for answer in column] for column in zip(*found, strict=True)]
    ratios = [peer / jaxsr for jaxsr, peer in zip(*times, strict=True)]
    values = [np.array(answer["values"]) for answer in found[0]]
    return (
        *_MEASURES[name],
        *(f"{statistics.median(column):.1f}" for column in times),
        f"{statistics.median(ratios):.2f}",
        *(f"{answer['first']:.2f}" for answer in found[0]),
        f"{np.abs(values[0] - values[1]).max():.0e}",
    )


class _Worker(contextlib.AbstractContextManager):
    """A process that measures what it is asked to."""

    def __init__(self, program: str, file: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.measures", "--worker"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [*command, json.dumps([program, str(file)])],
            stdin=pipe,
            stdout=pipe,
            text=True,
            cwd=_ROOT,
        )

    def ask(self, name: str) -> Any:
        """{"first", "ms", "values"} of one pass over the images, or why there is none."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __exit__(self, *unused: object) -> None:
        self._process.communicate()  # closes its input, which ends it


def _work(program: str, file: str) -> int:
    """Prints an answer for every name on stdin."""
    from jaxsr.errors import InputError

    with np.load(file) as arrays:
        pairs = [(arrays[f"sr{i}"], arrays[f"hr{i}"]) for i in range(len(arrays) // 2)]
    make = _make_jaxsr if program == "jaxsr" else _make_peer
    ready: dict[str, tuple[float, Measure]] = {}
    for name in map(str.strip, sys.stdin):
        try:
            if name not in ready:
                measure = make(name)
                ready[name] = (_first(measure, pairs), measure)
            first, measure = ready[name]
            start = time.perf_counter()
            values = [measure(sr, hr) for sr, hr in pairs]
            ms = (time.perf_counter() - start) * 1000 / len(pairs)
            answer: Any = {"first": first, "ms": ms, "values": values}
        except ImportError as error:
            answer = f"{error.name} is not installed"
        except InputError as error:
            answer = str(error).partition(":")[0]
        print(json.dumps(answer), flush=True)
    return 0


def _first(measure: Measure, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Seconds for one image of every size."""
    start = time.perf_counter()
    for sr, hr in {hr.shape: (sr, hr) for sr, hr in pairs}.values():
        measure(sr, hr)
    return time.perf_counter() - start


def _make_jaxsr(name: str) -> Measure:
    from jaxsr import metrics

    if name == "niqe":
        model = _pristine()
        return lambda sr, hr: float(metrics.niqe(_rounded_luma(sr)[None, ..., None], model)[0])
    from jaxsr.metrics.lpips import lpips

    function: Any = lpips if name == "lpips" else getattr(metrics, name)
    return lambda sr, hr: float(function(sr[None], hr[None])[0])


def _make_peer(name: str) -> Measure:
    if name == "niqe":
        from benchmarks.pytorch.niqe import niqe

        model = _pristine()
        return lambda sr, hr: niqe(_rounded_luma(sr), model.mean, model.covariance)

    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    function, peak = (_peer_lpips(), 1.0) if name == "lpips" else (_peer_ssim(name), 255.0)

    def tensor(x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x).permute(2, 0, 1)[None].float() / (255.0 / peak)

    def measure(sr: np.ndarray, hr: np.ndarray) -> float:
        with torch.inference_mode():
            return float(function(tensor(sr), tensor(hr)))

    return measure


def _peer_ssim(name: str) -> Callable[..., Any]:
    import pytorch_msssim  # pyright: ignore[reportMissingImports]

    return getattr(pytorch_msssim, name)


def _peer_lpips() -> Callable[..., Any]:
    import torch

    from benchmarks.pytorch import perceptual
    from jaxsr.vision import TRUNKS, load

    state = perceptual.state_dict(TRUNKS["alexnet"], load("alexnet"))
    heads = [
        torch.tensor(np.array(head)).view(1, -1, 1, 1)
        for _, head in sorted(load("lpips_alex").items())
    ]
    return lambda sr, hr: perceptual.lpips("alexnet", state, heads, sr, hr)


def _pristine() -> Any:
    from jaxsr.errors import InputError
    from jaxsr.metrics import load_niqe_model

    try:
        return load_niqe_model()
    except InputError:
        file = _REFERENCE / "weights" / "niqe_modelparameters.mat"
        if not file.is_file():
            raise
        return load_niqe_model(file)


def _rounded_luma(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W]: both programs get the same."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return np.floor(image @ weights + 16.5).astype(np.uint8)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (_HEAD, *rows)) for i in range(len(_HEAD))]
    lines = []
    for row in (_HEAD, *rows):
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
