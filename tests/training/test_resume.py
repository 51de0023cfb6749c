"""A run that was stopped anywhere and started again ends as one that never stopped, bit for bit."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import create_model
from jaxsr.training.checkpoint import Checkpoints
from jaxsr.training.config import from_dict
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.state import create_state
from tests.training.runs import ROOT, compiled_once, killed, textures, train

STEPS = 12


@pytest.fixture(scope="module", autouse=True)
def _compiled_once(tmp_path_factory):
    with compiled_once(tmp_path_factory.mktemp("xla")):
        yield


@pytest.fixture(scope="module")
def flags(tmp_path_factory) -> list[str]:
    """The command line of the run, without its --workdir."""
    data = textures(tmp_path_factory.mktemp("data"), (48, 42))
    return [
        f"--config={ROOT / 'configs/espcn_x3.py'}:tiny",
        f"--config.steps={STEPS}",
        "--config.log_every=1",
        "--config.validate_every=6",
        "--config.checkpoint_every=4",
        "--config.data.patch=24",
        *data,
    ]


def ended(workdir: Path) -> SimpleNamespace:
    """The state in the final checkpoint, every leaf as bytes by its path, and the log."""
    config = from_dict(json.loads((workdir / "config.json").read_text()))
    like = create_state(
        create_model(config.model, scale=config.scale),
        make_optimizer(config.optimizer, config.steps),
        jax.random.key(99),
        ema=True,
    )
    restored = Checkpoints(workdir / "checkpoints").restore(like)
    assert restored is not None and restored[2] == STEPS
    state = jax.tree.map(np.asarray, jax.tree.map(words, restored[0]))
    leaves = {jax.tree_util.keystr(k): v for k, v in jax.tree_util.tree_leaves_with_path(state)}
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        for clock in ("train/images_per_second", "train/data_wait"):
            line.pop(clock, None)
    return SimpleNamespace(leaves=leaves, log=lines)


def words(x: jax.Array) -> jax.Array:
    return jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x


def assert_same_end(workdir: Path, uninterrupted: Path) -> None:
    ours, theirs = ended(workdir), ended(uninterrupted)
    assert ours.leaves.keys() == theirs.leaves.keys()
    for part in (".params", ".ema", ".opt_state", ".rng", ".step"):
        assert any(name.startswith(part) for name in ours.leaves)
    differing = [k for k, v in ours.leaves.items() if v.tobytes() != theirs.leaves[k].tobytes()]
    assert not differing
    assert ours.log == theirs.log


@pytest.fixture(scope="module")
def uninterrupted(flags, tmp_path_factory) -> Path:
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert train(flags, workdir) == 0
    return workdir


def test_the_log_has_every_step_once(uninterrupted):
    log = ended(uninterrupted).log
    assert [x["step"] for x in log if "train/loss" in x] == list(range(1, STEPS + 1))
    assert [x["step"] for x in log if "validation/psnr" in x] == [6, 12]


@pytest.mark.parametrize("seed", [0, 1])
def test_kill_9_at_a_random_moment(flags, uninterrupted, tmp_path, seed):
    at = random.Random(seed).randrange(5, STEPS)
    workdir, lines = tmp_path / "run", []
    killed(flags, workdir, at_line=f"step {at}/")
    assert train(flags, workdir, lines.append) == 0
    if at > 8:  # saving step 8 waited until step 4 was on disk
        assert lines[0].startswith(f"resuming {workdir} at step")
    assert_same_end(workdir, uninterrupted)


def test_kill_9_right_after_a_checkpoint(flags, uninterrupted, tmp_path):
    workdir, lines = tmp_path / "run", []
    killed(flags, workdir, after_save=4)
    assert train(flags, workdir, lines.append) == 0
    assert lines[0] == f"resuming {workdir} at step 4"
    assert_same_end(workdir, uninterrupted)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 128 + 2)]
)
def test_a_signal_saves_and_says_so(flags, uninterrupted, tmp_path, number, status):
    workdir, lines = tmp_path / "run", []

    def interrupt(line: str) -> None:
        lines.append(line)
        if line.startswith("step 6: validation"):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    assert train(flags, workdir, interrupt) == status
    assert signal.getsignal(number) == before
    step = max(int(p.name) for p in (workdir / "checkpoints").iterdir() if p.name.isdecimal())
    assert 6 <= step <= 8
    assert lines[-1].startswith(f"{number.name}: saved step {step}")
    assert train(flags, workdir) == 0
    assert_same_end(workdir, uninterrupted)


def test_a_memory_mapped_training_set(flags, uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path / "cache"))
    assert train([*flags, "--config.data.memory_limit_mib=0"], tmp_path / "run") == 0
    assert list((tmp_path / "cache").rglob("*.cache"))
    assert_same_end(tmp_path / "run", uninterrupted)


def test_a_finished_run_started_again_changes_nothing(flags, uninterrupted, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(uninterrupted, workdir)
    lines = []
    assert train(flags, workdir, lines.append) == 0
    assert lines[0] == f"resuming {workdir} at step {STEPS}"
    assert_same_end(workdir, uninterrupted)


def test_a_damaged_newest_checkpoint_costs_only_its_steps(flags, uninterrupted, tmp_path):
    workdir, lines = tmp_path / "run", []
    shutil.copytree(uninterrupted, workdir)
    (workdir / "checkpoints" / str(STEPS) / "meta" / "metadata").write_text("{")
    assert train(flags, workdir, lines.append) == 0
    assert f"checkpoints/{STEPS} is not whole" in lines[0] and "at step 8" in lines[1]
    assert_same_end(workdir, uninterrupted)


def test_two_devices_go_on_from_one(flags, uninterrupted, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(uninterrupted, workdir)
    shutil.rmtree(workdir / "checkpoints" / str(STEPS))
    # Without validation there is half as much to compile for two devices.
    arguments = [*flags, "--config.data.validation=", f"--workdir={workdir}"]
    done = subprocess.run(
        [sys.executable, "train.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    note, first, second, *_ = done.stdout.splitlines()
    assert note == f"note: config.data differs from the run so far in {workdir}"
    assert first == f"resuming {workdir} at step 8"
    assert "on 2 cpu device(s)" in second
    # Sums over two halves of the batch round otherwise; Adam divides small by small.
    for name, ours in ended(workdir).leaves.items():
        np.testing.assert_allclose(
            ours, ended(uninterrupted).leaves[name], rtol=1e-3, atol=1e-5, err_msg=name
        )
