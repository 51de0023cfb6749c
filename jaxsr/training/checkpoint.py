"""Training state on disk: `FOLDER/STEP/` holds the arrays and one JSON of what they belong to.

Orbax writes: asynchronous, atomic, sharded. It does not notice a flipped byte and stops on an
empty step folder, so every save records a digest of each array (see `digests`), every read
verifies them, and a reader walks from the wanted checkpoint to the next one until it finds a
whole one. What only reads is in `restore`.

The only file that knows Orbax, which is not imported before it is used.
"""

import heapq
import logging
import math
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from jaxsr.errors import InputError
from jaxsr.training.digests import (
    BrokenError,
    Warn,
    check_same,
    first_whole,
    named,
    place,
    read_meta,
    record,
    score,
    seal,
    step_folders,
)
from jaxsr.training.restore import load_model, read_arrays, read_spec

__all__ = ["Checkpoints", "load_model", "read_spec"]


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
        self.folder = Path(folder).absolute()  # Orbax refuses relative paths
        self.metric = metric
        self._policy = _LatestAndBest(keep_latest, keep_best, {})
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
            state: a pytree of arrays (typed PRNG keys included), none of them empty.
            spec: what is needed to use the arrays, JSON-able: config, versions, protocol...
            metrics: validation results at this step, if there are any.
        """
        arrays = named(state)
        meta = {
            "step": step,
            "spec": spec,
            "metric": self.metric,
            "metrics": {name: float(value) for name, value in (metrics or {}).items()},
            "arrays": record(arrays),
        }
        # Sealed, it is a copy: the caller may go on changing `spec` while a thread writes.
        meta = seal(meta)
        ocp = _orbax()
        manager = self._open()
        self._policy.scores[step] = score(meta, self.metric)
        items = {"state": ocp.args.PyTreeSave(arrays), "meta": ocp.args.JsonSave(meta)}
        with self._writing():
            manager.wait_until_finished()
            if step in manager.all_steps():
                manager.delete(step)
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
        wanted = named(like)

        def read(path: Path) -> tuple[dict, dict]:
            meta = read_meta(path)
            check_same(path, meta["arrays"], wanted)
            return read_arrays(path, meta, wanted), meta

        paths = step_folders(self.folder)
        if not paths:
            return None
        arrays, meta = first_whole(paths, read, warn)
        for path in paths:
            if int(path.name) > meta["step"]:
                _set_aside(path)
        leaves = [place(arrays[name], leaf) for name, leaf in wanted.items()]
        return jax.tree.unflatten(jax.tree.structure(like), leaves), meta["spec"], meta["step"]

    def wait(self) -> None:
        """Return when the last `save` is on disk; raises what went wrong in it."""
        if self._manager is not None:
            with self._writing():
                self._manager.wait_until_finished()

    def close(self) -> None:
        """Wait for the last `save` and stop Orbax's threads; saving again starts them again."""
        if self._manager is not None:
            manager, self._manager = self._manager, None
            with self._writing():
                manager.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """TensorStore reports a full disk as a ValueError with the system's error in its text."""
        try:
            yield
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) and "os_error_code" not in str(error):
                raise
            reason = " ".join(str(error).partition(" [")[0].split())[:200]
            raise InputError(f"{self.folder}: cannot write a checkpoint ({reason})") from error

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def _open(self):
        # At the first save, not in the constructor: by then `restore` has put the broken steps
        # aside, which Orbax would count among the latest.
        if self._manager is None:
            ocp = _orbax()
            self._policy.scores.clear()
            for path in step_folders(self.folder):
                try:
                    self._policy.scores[int(path.name)] = score(read_meta(path), self.metric)
                except BrokenError:
                    continue
            self._manager = ocp.CheckpointManager(
                self.folder,
                # The layout that `read_arrays` reads.
                item_handlers={
                    "state": ocp.PyTreeCheckpointHandler(use_ocdbt=True, use_zarr3=False),
                    "meta": ocp.JsonCheckpointHandler(),
                },
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=self._policy, cleanup_tmp_directories=True
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
        scored = [step for step in steps if self.scores.get(step, -math.inf) > -math.inf]
        keep = {
            *heapq.nlargest(self.latest, steps),
            *heapq.nlargest(self.best, scored, key=lambda step: (self.scores[step], step)),
        }
        return [step in keep for step in steps]


def _set_aside(path: Path) -> None:
    """Out of the way rather than deleted: what broke it may be outside, and curable."""
    aside = path.with_name(f"{path.name}.broken")
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)


def _orbax():
    """The module, without its lines at INFO (dozens per save); warnings and errors stay."""
    import orbax.checkpoint as ocp

    # Only now: absl must make its logger itself.
    logging.getLogger("absl").addFilter(_not_orbax_info)
    return ocp


def _not_orbax_info(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or f"{os.sep}orbax{os.sep}" not in record.pathname
