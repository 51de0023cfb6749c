"""Time and memory of every network, next to the same network in PyTorch.

    python -m benchmarks.models [--only NAME,...] [--skip NAME,...] [--hr 256] [--patch 48]
                                [--batch 4] [--repeats 3] [--markdown FILE]

One inference of a whole image (its enlarged side is --hr) and one training step (L1, Adam, --batch
HR patches of side --patch) at the network's most usual scale. Both programs take the same random
weights, start in a process of their own with the same number of threads, run once to warm up
(jaxsr compiles) and then --repeats times; the median counts. Memory is the peak of the process
during these runs above what it held before the weights were made. The outputs are compared, so
that the two are known to compute the same. PyTorch's RLFN needs LR patches of 15 pixels, hence
--patch 60; jaxsr's SwinIR also drops paths in training, PyTorch's here does not. Needs PyTorch
(`pip install -e '.[torch]'`) and Linux.

`ratio` is PyTorch / jaxsr: above 1, jaxsr is faster, or takes less.
"""

import argparse
import importlib
import json
import os
import pkgutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_SLOWEST = 900  # seconds after which one measurement is given up, and shown as such


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="these networks, separated by commas")
    parser.add_argument("--skip", default="", help="not these")
    parser.add_argument("--hr", type=int, default=256, help="side of the enlarged image")
    parser.add_argument("--patch", type=int, default=48, help="side of an HR training patch")
    parser.add_argument("--batch", type=int, default=4, help="patches of a training step")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.worker:
        return _work(json.loads(args.worker))

    from jaxsr.models import MODELS

    only, skip = (set(filter(None, text.split(","))) for text in (args.only, args.skip))
    names = [
        name
        for name, card in MODELS.items()
        if card.needs_weights and name not in skip and (not only or name in only)
    ]
    rows = []
    print(_line(_HEAD), flush=True)
    for name in names:
        row = _measure(name, _usual_scale(MODELS[name].scales), args)
        rows.append(row)
        print(_line(row), flush=True)
    if args.markdown:
        cells = [_HEAD, ("---",) * len(_HEAD), *rows]
        args.markdown.write_text("".join(f"| {' | '.join(row)} |\n" for row in cells))
    return 0


_HEAD = (
    *("network", "scale", "inference s", "PyTorch", "ratio", "MiB", "PyTorch", "ratio"),
    *("step s", "PyTorch", "ratio", "MiB", "PyTorch", "ratio", "difference"),
)


def _line(cells: Sequence[str]) -> str:
    return f"{cells[0]:<15}{cells[1]:>6}" + "".join(f"{cell:>12}" for cell in cells[2:])


def _usual_scale(scales: Sequence[int]) -> int:
    return 4 if 4 in scales else scales[-1]


def _measure(name: str, scale: int, args: argparse.Namespace) -> tuple[str, ...]:
    """One row of the table; every figure from a process of its own."""
    cells: list[str] = []
    outputs: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("inference", "step"):
            found = {}
            for program in ("jaxsr", "torch"):
                file = Path(folder) / f"{program}.npy"
                task = {
                    "name": name,
                    "scale": scale,
                    "kind": kind,
                    "program": program,
                    "side": args.hr if kind == "inference" else args.patch,
                    "batch": 1 if kind == "inference" else args.batch,
                    "repeats": args.repeats,
                    "save": str(file),
                }
                found[program] = _spawn(task)
                if kind == "inference" and file.exists():
                    outputs[program] = np.load(file)
            for index, form in ((0, "{:.3f}"), (1, "{:.0f}")):
                ours, theirs = (found[p] and found[p][index] for p in ("jaxsr", "torch"))
                cells += [form.format(x) if x is not None else "-" for x in (ours, theirs)]
                cells.append(f"{theirs / max(ours, 1e-9):.2f}" if ours and theirs else "-")
    same = "-"
    if len(outputs) == 2:
        same = f"{np.abs(outputs['jaxsr'] - outputs['torch']).max():.0e}"
    return (name, f"x{scale}", *cells, same)


def _spawn(task: dict[str, Any]) -> tuple[float, float] | None:
    """(seconds, MiB) of one task, or None if it takes too long or too much."""
    command = [sys.executable, "-m", "benchmarks.models", "--worker", json.dumps(task)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SLOWEST, check=True)
    except subprocess.TimeoutExpired:
        return None
    except subprocess.CalledProcessError as error:
        print(f"{task['name']} ({task['program']}): {error.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def _work(task: dict[str, Any]) -> int:
    """Runs one task in this process and prints [seconds, MiB]."""
    prepare = _prepare_jaxsr if task["program"] == "jaxsr" else _prepare_torch
    model, x, hr, variables = _problem(task)
    run, before = prepare(task, model, x, hr, variables)
    result = run()  # compiles, takes memory from the system
    if task["kind"] == "inference":
        np.save(task["save"], result)
    _forget_peak()
    seconds = []
    for _ in range(task["repeats"]):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps([statistics.median(seconds), (_memory("VmHWM") - before) / 1024]))
    return 0


def _problem(task: dict[str, Any]) -> tuple[Any, np.ndarray, np.ndarray, Any]:
    """The module, LR, HR [N, H, W, C] and random variables, the same in every process."""
    import jax

    from jaxsr.interop.mapping import variable_shapes
    from jaxsr.models import create_model

    model: Any = create_model(task["name"], scale=task["scale"])
    noise = np.random.default_rng(0)
    channels = 1 if model.colour == "y" else 3
    side = task["side"] // task["scale"]
    lr = noise.random((task["batch"], side, side, channels), np.float32)
    big = side * task["scale"]
    hr = noise.random((task["batch"], big, big, channels), np.float32)

    def leaf(path: Any, spec: Any) -> np.ndarray:
        if path[-1].key in ("scale", "var"):
            return np.ones(spec.shape, np.float32)
        fan_in = max(1, int(np.prod(spec.shape[:-1])))
        return noise.normal(0.0, 0.5 * fan_in**-0.5, spec.shape).astype(np.float32)

    return model, lr, hr, jax.tree.map_with_path(leaf, variable_shapes(model))


def _prepare_jaxsr(
    task: dict[str, Any], model: Any, x: np.ndarray, hr: np.ndarray, variables: Any
) -> tuple[Callable[[], Any], float]:
    import jax
    import jax.numpy as jnp
    import optax

    from jaxsr.losses import l1
    from jaxsr.models.apply import takes_train

    jnp.zeros(1).block_until_ready()
    before = _memory("VmRSS")
    variables = jax.tree.map(jnp.asarray, variables)
    if task["kind"] == "inference":
        apply = jax.jit(model.apply)
        return lambda: np.asarray(apply(variables, x)), before

    adam = optax.adam(1e-4)
    how = {"train": True, "rngs": {"dropout": jax.random.key(0)}} if takes_train(model) else {}

    def step(state: Any, x: jax.Array, hr: jax.Array) -> Any:
        params, rest, moments = state

        def loss(params: Any) -> Any:
            sr, new = model.apply({"params": params, **rest}, x, mutable=["batch_stats"], **how)
            return l1(sr, hr), new

        (_, rest), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, moments = adam.update(grads, moments, params)
        return optax.apply_updates(params, updates), rest, moments

    compiled = jax.jit(step, donate_argnums=0)
    rest = {"batch_stats": variables["batch_stats"]} if "batch_stats" in variables else {}
    state = (variables["params"], rest, adam.init(variables["params"]))

    def run() -> None:
        nonlocal state
        state = jax.block_until_ready(compiled(state, x, hr))

    return run, before


def _prepare_torch(
    task: dict[str, Any], model: Any, x: np.ndarray, hr: np.ndarray, variables: Any
) -> tuple[Callable[[], Any], float]:
    import torch

    from benchmarks.pytorch import layers
    from jaxsr.interop.mapping import to_file
    from jaxsr.interop.weights import layouts_of

    torch.set_num_threads(os.cpu_count() or 1)
    network = _networks()[task["name"]]
    before = _memory("VmRSS")
    state = {
        key: torch.from_numpy(np.array(value))
        for key, value in to_file(layouts_of(model, variables)[0], model, variables).items()
    }
    lr, target = (torch.from_numpy(a.transpose(0, 3, 1, 2).copy()) for a in (x, hr))
    if task["kind"] == "inference":

        def infer() -> np.ndarray:
            with torch.no_grad():
                return network(state, lr, model).numpy().transpose(0, 2, 3, 1)

        return infer, before

    fixed = ("running_", "sub_mean", "add_mean", "attn_mask", "relative_position_index")
    trained = [t.requires_grad_() for key, t in state.items() if not any(f in key for f in fixed)]
    adam = torch.optim.Adam(trained, lr=1e-4)

    def step() -> None:
        with layers.training():
            loss = (network(state, lr, model) - target).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step, before


def _networks() -> dict[str, Callable[..., Any]]:
    """Registry name -> the network in PyTorch operations."""
    import benchmarks.pytorch as package

    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        found |= getattr(
            importlib.import_module(f"benchmarks.pytorch.{module.name}"), "NETWORKS", {}
        )
    return found


def _memory(field: str) -> float:
    """KiB of this process: VmRSS now, VmHWM at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return float(line.split()[1])
    raise OSError(f"no {field} in /proc/self/status")


def _forget_peak() -> None:
    """Makes VmHWM start again at VmRSS."""
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
