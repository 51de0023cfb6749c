"""Training state on disk: `FOLDER/STEP/` holds the arrays and one JSON of what they belong to.

The only file that knows Orbax. Orbax gives asynchronous, atomic, sharded writing; it does not
notice a flipped byte, casts dtypes silently and stops on an empty step folder. So every save keeps
a digest of each array (and of the JSON itself), every read verifies it, and a reader walks from
the wanted checkpoint to the next one until it finds a whole one.

Arrays are stored under their path in the state, `params/conv1/kernel`: any part can be read alone,
and containers without arrays (an optax `EmptyState`) need not match.
"""

import hashlib
import heapq
import json
import logging
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError

Warn = Callable[[str], None]


class _BrokenError(Exception):
    """This checkpoint cannot be trusted; another one may be."""


class Checkpoints:
    """The checkpoints of one training run, newest and best kept, the others deleted.

    Args:
        folder: where the steps go; made if missing.
        keep_latest: number of newest steps kept, at least 1.
        keep_best: number of steps with the highest `metric` kept besides, also over restarts.
        metric: the name in `save`'s metrics that ranks checkpoints; a step without it, or with
            NaN, is never best.

    Raises:
        InputError: the folder cannot be made, or `keep_latest` or `keep_best` is too small.
    """

    def __init__(
        self, folder: Path, *, keep_latest: int = 2, keep_best: int = 1, metric: str = "psnr"
    ):
        if keep_latest < 1 or keep_best < 0:
            raise InputError(
                f"keep_latest={keep_latest}, keep_best={keep_best}: "
                "keep at least 1 latest and 0 best checkpoints"
            )
        # Orbax wants an absolute path.
        self.folder = Path(folder).absolute()
        self.keep_latest = keep_latest
        self.keep_best = keep_best
        self.metric = metric
        self._scores: dict[int, float] = {}
        self._manager = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.folder}: cannot make this folder ({error.strerror}); "
                "use another --workdir or mend its rights"
            ) from None

    def save(
        self, step: int, state: Any, *, spec: dict, metrics: dict[str, float] | None = None
    ) -> None:
        """Write `state` as checkpoint `step`; returns once the arrays may be changed or donated.

        A step that exists is replaced. An error of the writing itself is raised by the next
        `save`, `wait` or `close`; a process that ends without `close` loses the last checkpoint.

        Args:
            step: the training step, which names the checkpoint.
            state: a pytree of arrays (typed PRNG keys included).
            spec: what is needed to use the arrays, JSON-able: config, versions, protocol...
            metrics: validation results at this step, if there are any.
        """
        arrays = _named(state)
        meta = {
            "step": step,
            "spec": spec,
            "metric": self.metric,
            "metrics": {name: float(value) for name, value in (metrics or {}).items()},
            "arrays": {name: _describe(x) | {"blake2b": _digest(x)} for name, x in arrays.items()},
        }
        # Written later by a thread: a copy, so that the caller may go on changing `spec`.
        meta = json.loads(json.dumps(meta))
        meta["digest"] = _meta_digest(meta)

        ocp = _orbax()
        manager = self._open()
        manager.wait_until_finished()
        if step in manager.all_steps():
            manager.delete(step)
        self._scores.pop(step, None)
        self._scores |= _score(meta, self.metric)
        items = {"state": ocp.args.PyTreeSave(arrays), "meta": ocp.args.JsonSave(meta)}
        manager.save(step, args=ocp.args.Composite(**items), force=True)

    def restore(self, like: Any, *, warn: Warn = warnings.warn) -> tuple[Any, dict, int] | None:
        """The newest whole checkpoint as `(state, spec, step)`; None if there is no checkpoint.

        Broken checkpoints newer than the one restored are renamed to `STEP.broken`, since training
        is going to save these steps again.

        Args:
            like: the wanted state as a pytree of arrays or `jax.ShapeDtypeStruct`; its tree, types
                and shardings are those of the result (without a sharding: the first device).
            warn: gets one line for each checkpoint that is not whole.

        Raises:
            InputError: there are checkpoints but none is whole, or the newest readable one is not
                of a state like this (named tensor by tensor).
        """
        self.close()
        wanted = _named(like)
        broken = []

        def read(path: Path) -> tuple[dict, dict]:
            meta = _read_meta(path)
            _check_same(path, meta["arrays"], wanted)
            return _read_arrays(path, meta, wanted), meta

        def skip(line: str, path: Path) -> None:
            broken.append(path)
            warn(f"{line}; kept as {path.name}.broken if an older one is whole")

        paths = _step_folders(self.folder)
        if not paths:
            return None
        arrays, meta = _first_whole(self.folder, paths, read, skip)
        if jax.process_index() == 0:
            for path in broken:
                _set_aside(path)
        state = jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in wanted])
        return state, meta["spec"], meta["step"]

    def wait(self) -> None:
        """Return when the last `save` is on disk; raises what went wrong in it."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Wait for the last `save` and stop Orbax's threads; saving again starts them again."""
        if self._manager is not None:
            manager, self._manager = self._manager, None
            manager.close()

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def _open(self):
        # At the first save, not in the constructor: by then `restore` has put the broken steps
        # aside, which Orbax would count among the latest.
        if self._manager is None:
            ocp = _orbax()
            self._scores = {}
            for path in _step_folders(self.folder):
                try:
                    self._scores |= _score(_read_meta(path), self.metric)
                except _BrokenError:
                    continue
            self._manager = ocp.CheckpointManager(
                self.folder,
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=_LatestAndBest(
                        self.keep_latest, self.keep_best, self._scores
                    ),
                    cleanup_tmp_directories=True,
                ),
            )
        return self._manager


@dataclass(frozen=True)
class _LatestAndBest:
    """Orbax preservation policy. Its own `BestN` reads scores from a file which, damaged, keeps
    the manager from starting; ours come from the verified JSON."""

    latest: int
    best: int
    scores: dict[int, float]

    def should_preserve(self, checkpoints, *, context) -> list[bool]:
        del context
        steps = [checkpoint.step for checkpoint in checkpoints]
        scored = [step for step in steps if step in self.scores]
        keep = {
            *heapq.nlargest(self.latest, steps),
            *heapq.nlargest(self.best, scored, key=lambda step: (self.scores[step], step)),
        }
        return [step in keep for step in steps]


def read_spec(folder: Path) -> tuple[dict, int]:
    """The newest readable `(spec, step)` of a workdir or checkpoints folder; reads no array.

    Raises:
        InputError: no such folder, no checkpoint in it, or none with a readable JSON.
    """
    folder, paths = _locate(folder)
    meta = _first_whole(folder, paths, _read_meta, lambda line, path: None)
    return meta["spec"], meta["step"]


def load_weights_of(
    folder: Path, *, best: bool = True, warn: Warn = warnings.warn
) -> tuple[dict, dict, int]:
    """The weights of a training run as `(variables, spec, step)`, verified.

    Reads only the exponential moving average of the parameters (the parameters, if the state has
    none) and the batch statistics, not the optimiser.

    Args:
        folder: a workdir or its checkpoints folder.
        best: the whole checkpoint with the highest metric, if any has one; else the newest.
        warn: gets one line for each checkpoint that is not whole.

    Returns:
        `variables` for `model.apply`: `params` and, if there are any, `batch_stats`, on the
        default device; the spec given to `Checkpoints.save`; the step.

    Raises:
        InputError: no such folder, no checkpoint in it, or none whole.
    """
    folder, paths = _locate(folder)
    if best:
        paths = _best_first(paths)

    def read(path: Path) -> tuple[dict, dict]:
        meta = _read_meta(path)
        roots = {name.split("/")[0] for name in meta["arrays"]}
        params = "ema" if "ema" in roots else "params"
        wanted = {
            name: np.empty(0, jnp.dtype(described["dtype"]))  # the dtype is what Orbax casts to
            for name, described in meta["arrays"].items()
            if name.split("/")[0] in (params, "batch_stats")
        }
        arrays = _nested(_read_arrays(path, meta, wanted))
        variables = {"params": arrays.get(params, {})}
        if "batch_stats" in arrays:
            variables["batch_stats"] = arrays["batch_stats"]
        return variables, meta

    variables, meta = _first_whole(folder, paths, read, lambda line, path: warn(line))
    return jax.tree.map(jnp.asarray, variables), meta["spec"], meta["step"]


def load_model(folder: Path, *, warn: Warn = warnings.warn) -> tuple[Any, dict, dict]:
    """The best model of a training run as `(module, variables, spec)`.

    The module is made from `spec["config"]`: its `model`, `scale` and `model_args`. Which weights,
    arguments and errors: see `load_weights_of`.
    """
    from jaxsr.models import create_model

    variables, spec, _ = load_weights_of(folder, warn=warn)
    config = spec["config"]
    module = create_model(config["model"], scale=config["scale"], **config["model_args"])
    return module, variables, spec


# Which checkpoints there are, and the walk over them.


def _locate(folder: Path) -> tuple[Path, list[Path]]:
    folder = Path(folder).absolute()
    if (folder / "checkpoints").is_dir():
        folder = folder / "checkpoints"
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the --workdir of a training run")
    paths = _step_folders(folder)
    if not paths:
        raise InputError(f"{folder} holds no checkpoint; give the --workdir of a training run")
    return folder, paths


def _step_folders(folder: Path) -> list[Path]:
    """The folders named by a step, newest first; Orbax's unfinished ones have a longer name."""
    steps = [path for path in folder.iterdir() if path.name.isdecimal() and path.is_dir()]
    return sorted(steps, key=lambda path: int(path.name), reverse=True)


def _best_first(paths: Iterable[Path]) -> list[Path]:
    """Highest score first, the newest of equal ones; those without a score after them."""

    def rank(path: Path) -> tuple[float, int]:
        try:
            meta = _read_meta(path)
            score = _score(meta, meta["metric"]).get(meta["step"], -math.inf)
        except _BrokenError:
            score = -math.inf
        return score, int(path.name)

    return sorted(paths, key=rank, reverse=True)


def _first_whole(folder: Path, paths: list[Path], read: Callable, skip: Callable) -> Any:
    """`read(path)` of the first path that is whole; `skip(line, path)` for those before it."""
    reasons = []
    for path in paths:
        try:
            return read(path)
        except _BrokenError as error:
            reasons.append(f"{path.name}: {error}")
            skip(f"checkpoint {path} is not whole ({error}): skipped", path)
    raise InputError(
        f"{folder} holds {len(paths)} checkpoint(s) and none is whole ({reasons[0]}); "
        "bring back a copy, or start again in another --workdir"
    )


def _set_aside(path: Path) -> None:
    """Out of the way rather than deleted: what broke it may be outside, and curable."""
    aside = path.with_name(f"{path.name}.broken")
    if aside.exists():
        shutil.rmtree(aside)
    os.rename(path, aside)


# The JSON of a checkpoint.


def _read_meta(path: Path) -> dict:
    try:
        meta = json.loads((path / "meta" / "metadata").read_text())
        if meta["digest"] != _meta_digest(meta) or str(meta["step"]) != path.name:
            raise _BrokenError("its metadata is damaged")
    except (OSError, ValueError, KeyError, TypeError):
        raise _BrokenError("its metadata is missing or damaged") from None
    return meta


def _meta_digest(meta: dict) -> str:
    rest = {key: value for key, value in meta.items() if key != "digest"}
    return hashlib.blake2b(json.dumps(rest, sort_keys=True).encode(), digest_size=16).hexdigest()


def _score(meta: dict, metric: str) -> dict[int, float]:
    """`{step: score}`, or nothing when this step has no score to be ranked by."""
    score = meta["metrics"].get(metric, math.nan)
    return {} if math.isnan(score) else {meta["step"]: score}


# The arrays.


def _named(tree: Any) -> dict[str, Any]:
    """The leaves by their path, in the order of the tree: {"params/conv1/kernel": leaf}."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def _nested(arrays: dict[str, Any]) -> dict:
    """The reverse of `_named` for a tree of dicts."""
    tree: dict = {}
    for name, x in arrays.items():
        *parents, last = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = x
    return tree


def _describe(x: Any) -> dict:
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return {"shape": list(x.shape), "dtype": str(x.dtype)}


def _digest(x: Any) -> str:
    """blake2b of the bytes in C order; of a typed PRNG key, those of its words."""
    if isinstance(x, jax.Array):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x = jax.random.key_data(x)
        if not (x.is_fully_addressable or x.is_fully_replicated):
            from jax.experimental import multihost_utils

            x = multihost_utils.process_allgather(x, tiled=True)
    # As bytes, because bfloat16 has no buffer protocol.
    data = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    return hashlib.blake2b(data.data, digest_size=16).hexdigest()


def _check_same(path: Path, stored: dict[str, dict], wanted: dict[str, Any]) -> None:
    """The stored arrays are those of the wanted state, by name, shape and dtype."""
    for name in [*wanted, *stored]:
        held = _show(stored[name]) if name in stored else None
        needed = _show(_describe(wanted[name])) if name in wanted else None
        if held != needed:
            raise InputError(
                f"checkpoint {path} holds {name} {held or '(no such tensor)'}, this model needs "
                f"{needed or 'no such tensor'}: it is of another model; use another --workdir"
            )


def _show(described: dict) -> str:
    return f"{described['dtype']} ({','.join(map(str, described['shape']))})"


def _read_arrays(path: Path, meta: dict, wanted: dict[str, Any]) -> dict[str, Any]:
    """The arrays of these names, placed as the wanted leaves are, with their digests verified."""
    if not wanted:
        return {}
    ocp = _orbax()
    places = {name: _place(leaf) for name, leaf in wanted.items()}
    how = ocp.args.PyTreeRestore(
        places,
        restore_args=ocp.checkpoint_utils.construct_restore_args(places),
        partial_restore=True,
    )
    try:
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
            arrays = reader.restore(path / "state", args=how)
    except (MemoryError, jax.errors.JaxRuntimeError):
        raise  # not the checkpoint's fault
    except Exception as error:  # Orbax and TensorStore document no closed set
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise _BrokenError(reason[0][:200]) from error
    for name, x in arrays.items():
        if _digest(x) != meta["arrays"][name]["blake2b"]:
            raise _BrokenError(f"{name} differs from what was saved")
    return arrays


def _place(leaf: Any) -> Any:
    """`leaf` as Orbax wants it: JAX arrays, which may be donated already, as their description."""
    if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
        return leaf
    sharding = leaf.sharding or jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _orbax():
    """The module, without its lines at INFO (dozens per save); warnings and errors stay."""
    import orbax.checkpoint as ocp

    # Only now: absl must make its logger itself.
    logging.getLogger("absl").addFilter(_not_orbax_info)
    return ocp


def _not_orbax_info(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or f"{os.sep}orbax{os.sep}" not in record.pathname
