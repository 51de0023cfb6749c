"""Runs of train.py that tests start, stop and kill, sharing what they compile."""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache
from PIL import Image

from jaxsr.training import loop

ROOT = Path(__file__).parents[2]

# Runs train.py and kills its own process the hard way: at a line of its log, or when a checkpoint
# is on disk.
KILLED = """
import os, runpy, signal, sys
from jaxsr.training import loop
from jaxsr.training.checkpoint import Checkpoints

at_line, after_save, *sys.argv = sys.argv[1:]
save, train = Checkpoints.save, loop.train

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def train_or_die(config, workdir, *, say):
    return train(config, workdir, say=lambda line: line.startswith(at_line) and die())

def save_and_die(self, step, *args, **kwargs):
    save(self, step, *args, **kwargs)
    if step == int(after_save):
        self.wait()
        die()

loop.train = train_or_die
Checkpoints.save = save_and_die
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextmanager
def compiled_once(folder: Path) -> Iterator[None]:
    """The runs compile the same programs; a cache on disk shares them between processes."""
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        jax.config.update("jax_compilation_cache_dir", settings["JAX_COMPILATION_CACHE_DIR"])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        compilation_cache.reset_cache()  # it remembers the folder, or that there was none
        yield
        jax.config.update("jax_compilation_cache_dir", None)


def textures(folder: Path, size: tuple[int, int]) -> list[str]:
    """Smooth random images of (width, height) to train and to validate on, as flags of train.py."""
    noise = np.random.default_rng(0)
    for name, count in (("train", 3), ("validation", 1)):
        (folder / name).mkdir()
        for i in range(count):
            seed = Image.fromarray(noise.integers(0, 256, (9, 9, 3), np.uint8))
            seed.resize(size, Image.Resampling.BICUBIC).save(folder / name / f"{i}.png")
    return [f"--config.data.{name}={folder / name}" for name in ("train", "validation")]


def train(flags: list[str], workdir: Path, react: Callable[[str], Any] = str) -> int:
    """`train.py` in this process; `react` gets each line of the run. Returns the exit status."""
    spec = importlib.util.spec_from_file_location("train_py", ROOT / "train.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        run = loop.train
        patch.setattr(loop, "train", lambda *args, say: run(*args, say=react))
        return module.main([*flags, f"--workdir={workdir}"])


def killed(flags: list[str], workdir: Path, *, at_line: str = "never", after_save: int = -1):
    """`train.py` in its own process, which must die of SIGKILL."""
    command = [sys.executable, "-c", KILLED, at_line, str(after_save), "train.py"]
    done = subprocess.run(
        [*command, *flags, f"--workdir={workdir}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
