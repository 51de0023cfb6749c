"""What a run leaves behind beside its checkpoints: numbers, pictures, provenance.

metrics.jsonl      one JSON object a line: {"step", ...}, with the "stage" of a run that has several
tensorboard/       the same scalars, and LR | SR | HR pictures
config.json        the configuration
versions.json      package versions, devices, git revision
"""

import importlib.metadata
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

_PACKAGES = ("jax-superres", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def write_json(path: Path, value: Any) -> None:
    """Writes JSON to a temporary name and renames it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        text = json.dumps(_strict(value), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _strict(value: Any) -> Any:
    """The value with null for what JSON has no number for: the infinite PSNR of equal images."""
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def versions() -> dict[str, Any]:
    """Package versions, Python, devices, and the git revision where the code is a checkout."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    found["devices"] = [str(device) for device in jax.devices()]
    found["git"] = _git_revision()
    return found


def _git_revision() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


class RunLog:
    """Appends to metrics.jsonl and TensorBoard. `start` > 0 continues a run from that step:
    lines of steps after it, written before a crash, are dropped. The name of a `stage` is put into
    every line."""

    def __init__(self, workdir: Path, start: int, stage: str = "") -> None:
        from tensorboardX import SummaryWriter

        self._path = workdir / "metrics.jsonl"
        self._stage = {"stage": stage} if stage else {}
        self._keep_until(start)
        self._file = self._path.open("a", encoding="utf-8")
        # TensorBoard hides what an earlier process wrote from this step on.
        self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=start + 1)

    def _keep_until(self, start: int) -> None:
        if not self._path.exists():
            return
        kept = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                step = json.loads(line)["step"]
            except (ValueError, KeyError, TypeError):  # cut short or garbled by the crash
                continue
            if step <= start:
                kept.append(line + "\n")
        temporary = self._path.with_name(".metrics.jsonl.tmp")
        temporary.write_text("".join(kept), encoding="utf-8")
        os.replace(temporary, self._path)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes named numbers of one step; names with a `/` group in TensorBoard."""
        line = json.dumps(_strict({"step": step, **self._stage, **values}), allow_nan=False)
        self._file.write(line + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: np.ndarray) -> None:
        """Shows a uint8 [H, W, 3] image in TensorBoard."""
        self._board.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        self._file.close()
        self._board.close()
