"""LR/HR pairs a second on the CPU, next to PyTorch's DataLoader, and how long training waits.

    python -m benchmarks.data [--data FOLDER] [--images 8] [--seconds 3] [--rounds 3]
                              [--steps 8] [--markdown FILE]

Pairs of HR patches of 192 pixels and LR at x4, in batches of 16, from the first --images
photographs of a folder (default: data/photos in the folder that JAXSR_REFERENCE names), which are
converted to PNG first. Every program is a process of its own. They take turns, for --seconds each
and --rounds times, so that all see the same machine; the median counts. The first batches of a
turn, which fill the queues, do not.

jaxsr does what its trainer does: images decoded once (that time is shown apart), patches cut in
threads, LR made in a compiled program. Its peers are data sets of PNG files as the toolboxes write
them, with as many worker processes as cores (benchmarks/pytorch):
* "whole files": each sample decodes a photograph; LR by a NumPy port of MATLAB's bicubic;
* "480 px tiles": the photographs are cut into PNG tiles first, as BasicSR recommends;
* "480 px tiles, LR tiles": LR is not made, but read from tiles, too;
* Real-ESRGAN, from tiles: kernels for each sample, then PyTorch operations on the batch, all in
  the workers.
`ratio` is jaxsr's (from memory) over this: above 1, jaxsr is faster.

Then EDSR-baseline x4 is trained by its recipe for --steps steps, and its meter says how much of the
time it waited for data; the first quarter, in which it compiles, is left out. Needs PyTorch.
"""

import argparse
import contextlib
import dataclasses
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_PATCH, _SCALE, _BATCH, _TILE = 192, 4, 16, 480
_WHOLE, _TILES, _LR_TILES = "whole files", "480 px tiles", "480 px tiles, LR tiles"
_CORES = os.cpu_count() or 1
# (degradation, program, data): data is a residency of jaxsr, or what a peer reads
_TASKS = (
    ("bicubic", "jaxsr", "memory"),
    ("bicubic", "jaxsr", "mmap"),
    ("bicubic", "jaxsr", "device"),
    ("bicubic", "torch", _WHOLE),
    ("bicubic", "torch", _TILES),
    ("bicubic", "torch", _LR_TILES),
    ("realesrgan", "jaxsr", "memory"),
    ("realesrgan", "torch", _TILES),
)
_NAMES = {"jaxsr": "jaxsr", "torch": "PyTorch DataLoader"}
_HEAD = ("degradation", "program", "from", "pairs/s", "ratio", "prepared in s")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reference = _ROOT / os.environ.get("JAXSR_REFERENCE", "../shared")
    parser.add_argument("--data", type=Path, default=reference / "data" / "photos")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="of the training; 0 leaves it out")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.worker:
        return _work(json.loads(args.worker))

    from jaxsr.errors import InputError

    try:
        with tempfile.TemporaryDirectory() as folder:
            seconds = _make_files(args.data, args.images, Path(folder))
            rows = _table(_measure(Path(folder), args.seconds, args.rounds), seconds)
            print(_aligned(rows), flush=True)
            if args.markdown:
                cells = [_HEAD, ("---",) * len(_HEAD), *rows]
                args.markdown.write_text("".join(f"| {' | '.join(row)} |\n" for row in cells))
            if args.steps:
                print(_wait(Path(folder), args.steps))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _make_files(source: Path, count: int, folder: Path) -> dict[str, float]:
    """PNG photographs, tiles of them and LR tiles; seconds that each took."""
    from benchmarks.pytorch import photos
    from jaxsr.data import open_source

    found = open_source(source)
    images = [found[i] for i in range(min(count, len(found)))]
    photos.write(folder / "whole", {f"{i:04}": image for i, image in enumerate(images)})
    start = time.perf_counter()
    tiles = photos.tiles(images, _TILE)
    photos.write(folder / "tiles", tiles)
    middle = time.perf_counter()
    photos.write(folder / "lr", {name: photos.lr_pixels(tile) for name, tile in tiles.items()})
    end = time.perf_counter()
    return {_TILES: middle - start, _LR_TILES: end - start}


def _measure(folder: Path, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """For each task `rates`, pairs a second in every round, and `start`: seconds of decoding."""
    with contextlib.ExitStack() as stack:
        workers = []
        for task in _TASKS:
            options = {"task": task, "folder": str(folder), "seconds": seconds}
            workers.append(stack.enter_context(_Worker(options)))
        found: list[dict[str, Any]] = [{"start": w.start, "rates": []} for w in workers]
        for _ in range(rounds):
            for worker, values in zip(workers, found, strict=True):
                values["rates"].append(worker.measure())
    return found


class _Worker(contextlib.AbstractContextManager):
    """A process that measures whenever it is asked to."""

    def __init__(self, options: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "benchmarks.data", "--worker", json.dumps(options)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT)
        self.start = self._answer()  # waits: the next must not slow this one down

    def measure(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> float:
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())

    def __exit__(self, *unused: object) -> None:
        self._process.communicate()  # closes its input, which ends it


def _work(options: dict[str, Any]) -> int:
    """Prints how long it took to decode, and a rate for every line on stdin."""
    degradation, program, data = options["task"]
    prepare = _prepare_jaxsr if program == "jaxsr" else _prepare_torch
    seconds, batches = prepare(degradation, data, Path(options["folder"]))
    print(seconds, flush=True)
    for _ in sys.stdin:
        print(_rate(batches, options["seconds"]), flush=True)
    return 0


def _rate(batches: Callable[[], Any], seconds: float) -> float:
    """Pairs a second, once the queues are as full as they stay."""
    with contextlib.closing(batches()) as made:
        for _ in range(2 * _CORES):
            next(made)
        count, start = 0, time.perf_counter()
        now = start
        # Whole rounds of the workers, whose batches come at about the same time.
        while now < start + seconds or count % _CORES:
            next(made)
            count, now = count + 1, time.perf_counter()
    return count * _BATCH / (now - start)


def _prepare_jaxsr(
    degradation: str, residency: str, folder: Path
) -> tuple[float, Callable[[], Iterator[Any]]]:
    import jax
    from jax.sharding import AxisType

    from jaxsr.data import Batch, prefetch
    from jaxsr.degradations import get_degradation
    from jaxsr.metrics import get_protocol
    from jaxsr.training.config import DataConfig, TrainConfig
    from jaxsr.training.feed import Feed
    from jaxsr.training.inputs import open_inputs
    from jaxsr.training.pairing import make_pairing

    data = DataConfig((str(folder / "whole"),), patch=_PATCH, batch=_BATCH, residency=residency)
    config = TrainConfig(
        "edsr_baseline", _SCALE, "rgb", "l1", 1, degradation=degradation, data=data
    )
    os.environ["JAXSR_CACHE"] = str(folder / f"{degradation}-{residency}")  # nobody else's file
    start = time.perf_counter()
    plan = open_inputs(config, functools.partial(print, file=sys.stderr)).plan
    seconds = time.perf_counter() - start
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    feed = Feed(config, plan, mesh)
    pair = make_pairing(get_protocol("rgb"), get_degradation(degradation, _SCALE), _SCALE, data)

    def step(key: jax.Array, batch: Batch) -> tuple[jax.Array, Any]:
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch.record)
        return key, pair(keys, batch)

    program: Any = feed.program(jax.tree_util.Partial(step), _PATCH, 1)

    def batches() -> Iterator[Any]:
        key, pending = jax.random.key(0), None
        ahead = prefetch(lambda k: feed.make(k, k + 1), 0, 1 << 30, threads=min(4, _CORES))
        with contextlib.closing(ahead):
            for batch in ahead:
                key, pairs = program(key, batch)
                if pending is not None:  # one step behind, as the trainer reads its metrics
                    yield jax.block_until_ready(pending)
                pending = pairs

    return seconds, batches


def _prepare_torch(
    degradation: str, data: str, folder: Path
) -> tuple[float, Callable[[], Iterator[Any]]]:
    from benchmarks.pytorch import photos, realesrgan

    files = sorted((folder / ("whole" if data == _WHOLE else "tiles")).glob("*.png"))
    finish = None
    if data == _LR_TILES:
        samples: Any = photos.PairCrops(files, folder / "lr", _PATCH, _SCALE)
    elif degradation == "bicubic":
        samples = photos.Crops(files, _PATCH, photos.bicubic_lr)
    else:
        samples = photos.Crops(files, _PATCH, photos.kernels)
        finish = realesrgan.pairs
    loader = photos.loader(samples, _BATCH, _CORES, finish)

    def batches() -> Iterator[Any]:
        yield from loader

    return 0.0, batches


def _table(found: list[dict[str, Any]], prepared: dict[str, float]) -> list[tuple[str, ...]]:
    """A row for each task; a ratio is the median of the rounds'."""
    ours = {t[0]: v["rates"] for t, v in zip(_TASKS, found, strict=True) if t[2] == "memory"}
    rows = []
    for (degradation, program, data), values in zip(_TASKS, found, strict=True):
        rates = values["rates"]
        ratios = [a / b for a, b in zip(ours[degradation], rates, strict=True)]
        seconds = prepared.get(data, values["start"])
        rows.append(
            (
                *(degradation, _NAMES[program], data),
                f"{statistics.median(rates):.0f}",
                f"{statistics.median(ratios):.2f}",
                f"{seconds:.1f}" if seconds else "-",
            )
        )
    return rows


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (_HEAD, *rows)) for i in range(len(_HEAD))]
    words, numbers = slice(0, 3), slice(3, None)
    return "\n".join(
        "  ".join(
            [cell.ljust(width) for cell, width in zip(row[words], widths[words], strict=True)]
            + [cell.rjust(width) for cell, width in zip(row[numbers], widths[numbers], strict=True)]
        )
        for row in (_HEAD, *rows)
    )


def _wait(folder: Path, steps: int) -> str:
    """Trains, and says how long it waited for data."""
    from jaxsr.training.config import load_config
    from jaxsr.training.loop import train

    recipe = load_config(str(_ROOT / "configs" / "edsr.py") + ":baseline_x4")
    config = dataclasses.replace(
        recipe,
        steps=steps,
        log_every=max(1, steps // 4),
        data=dataclasses.replace(recipe.data, train=(str(folder / "whole"),)),
    )
    train(config, folder / "run", say=lambda line: None)
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    values = [json.loads(line) for line in lines][1:]
    wait, rate = (
        statistics.mean(v[f"train/{name}"] for v in values)
        for name in ("data_wait", "images_per_second")
    )
    return (
        f"EDSR-baseline x4, batch {config.data.batch}, HR patches of {config.data.patch}: "
        f"{config.data.batch / rate:.2f} s a step, {wait:.2%} of it waiting for data"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
