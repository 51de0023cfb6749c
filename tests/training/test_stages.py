"""A run of two stages: killed in either, it ends as one that never stopped, bit for bit."""

import json
import os
import random
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.loading import load_model
from jaxsr.training.config import (
    AdversarialConfig,
    GuardConfig,
    TrainConfig,
    load_config,
    override,
)
from jaxsr.training.loop import train as train_config
from jaxsr.training.meter import Meter
from jaxsr.training.restore import read_meta, step_folders
from jaxsr.training.rules import check
from jaxsr.training.same_run import refuse_another_run
from jaxsr.training.stages import first_stage
from tests.training.runs import ROOT, compiled_once, killed, textures, train

STEPS = 6  # of each stage


@pytest.fixture(scope="module", autouse=True)
def _compiled_once(tmp_path_factory):
    with compiled_once(tmp_path_factory.mktemp("xla")):
        yield


@pytest.fixture(scope="module")
def flags(tmp_path_factory) -> list[str]:
    """The command line of the run, without its --workdir."""
    data = textures(tmp_path_factory.mktemp("data"), (48, 44))
    return [
        f"--config={ROOT / 'configs/srgan.py'}:tiny",
        f"--config.steps={STEPS}",
        f"--config.pretrain.steps={STEPS}",
        "--config.loss=l1",
        "--config.model_args.blocks=1",
        "--config.model_args.features=4",
        "--config.log_every=1",
        "--config.validate_every=6",
        "--config.checkpoint_every=2",
        "--config.data.batch=2",
        *data,
    ]


@pytest.fixture(scope="module")
def uninterrupted(flags, tmp_path_factory) -> Path:
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert train(flags, workdir) == 0
    return workdir


def config_of(flags: list[str]) -> TrainConfig:
    config = load_config(flags[0].removeprefix("--config="))
    for flag in flags[1:]:
        config = override(config, *flag.removeprefix("--config.").split("=", 1))
    return config


def digests(workdir: Path) -> dict[str, str]:
    """Of every array in the final checkpoint, as it was saved."""
    (path,) = [p for p in step_folders(workdir / "checkpoints") if int(p.name) == STEPS]
    return {name: record["blake2b"] for name, record in read_meta(path)["arrays"].items()}


def log_of(workdir: Path) -> list[dict]:
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    clocks = ("train/images_per_second", "train/data_wait")
    return [{k: v for k, v in line.items() if k not in clocks} for line in lines]


def assert_same_end(workdir: Path, uninterrupted: Path) -> None:
    for stage in (Path("psnr"), Path()):
        ours, theirs = digests(workdir / stage), digests(uninterrupted / stage)
        assert ours == theirs
        assert log_of(workdir / stage) == log_of(uninterrupted / stage)


def test_both_stages_are_kept(uninterrupted):
    first, second = digests(uninterrupted / "psnr"), digests(uninterrupted)
    assert any(name.startswith("ema/") for name in first)
    parts = ("params", "ema", "opt_state", "batch_stats", "rng", "step")
    for part in parts:
        assert any(name.startswith(f"generator/{part}") for name in second), part
    for part in ("params", "opt_state", "batch_stats"):
        assert any(name.startswith(f"discriminators/image/{part}") for name in second), part
    stages = {"psnr": uninterrupted / "psnr", "adversarial": uninterrupted}
    for stage, folder in stages.items():
        log = log_of(folder)
        assert {line["stage"] for line in log} == {stage}
        assert [x["step"] for x in log if "train/psnr" in x] == list(range(1, STEPS + 1))
        assert list((folder / "tensorboard").glob("events.*"))
    assert "train/image/accuracy_fake" in log_of(uninterrupted)[0]
    assert (uninterrupted / "side_by_side.png").is_file()


def test_the_second_stage_starts_from_the_first(uninterrupted, flags, tmp_path, capsys):
    """As one that is told to start from that folder, or from a file of its weights."""
    capsys.readouterr()
    before = uninterrupted / "psnr"
    for name in ("folder", "file"):
        start = before
        if name == "file":
            from jaxsr.interop.weights import save_weights

            start = tmp_path / "start.safetensors"
            save_weights(start, *load_model(before))
        more = ["--config.pretrain.steps=0", f"--config.init_from={start}"]
        lines = []
        assert train([*flags, *more], tmp_path / name, lines.append) == 0
        assert any(line.startswith(f"starting from {start}: ") for line in lines)
        assert not (tmp_path / name / "psnr").exists()
        assert digests(tmp_path / name) == digests(uninterrupted)


@pytest.mark.parametrize(("stage", "seed"), [("psnr", 0), ("adversarial", 1)])
def test_kill_9_in_either_stage(flags, uninterrupted, tmp_path, stage, seed):
    at = random.Random(seed).randrange(2, STEPS)
    workdir, lines = tmp_path / "run", []
    killed(flags, workdir, at_line=f"{stage} step {at}/")
    assert (workdir / "checkpoints").exists() == (stage == "adversarial")
    assert train(flags, workdir, lines.append) == 0
    assert lines[0].startswith("stage 1 of 2" if stage == "psnr" else "stage 2 of 2")
    assert_same_end(workdir, uninterrupted)


def test_a_finished_first_stage_is_not_run_again(flags, uninterrupted, tmp_path):
    workdir, lines = tmp_path / "run", []
    shutil.copytree(uninterrupted / "psnr", workdir / "psnr")
    assert train(flags, workdir, lines.append) == 0
    assert lines[:2] == [
        f"stage 2 of 2, adversarial, in {workdir}",
        f"starting from {workdir / 'psnr'}: 30 of 30 tensors",
    ]
    assert_same_end(workdir, uninterrupted)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("adversarial.discriminators.image.model_args.features", "8", "discriminators.image srgan"),
        ("adversarial.lag", "0.5", "adversarial.lag False"),
        ("adversarial.optimizer.name", "sgd", "adversarial.optimizer.name adam"),
        ("guard.spike", "9", "guard.spike False"),
    ],
)
def test_another_run_is_refused(flags, uninterrupted, field, value, message):
    config = override(config_of(flags), field, value)
    with pytest.raises(InputError, match=f"holds a run with .*{message}"):
        train_config(config, uninterrupted, say=lambda line: None)


def test_patches_too_large_for_the_second_stage_show_before_the_first(flags, tmp_path):
    config = override(config_of(flags), "pretrain.patch", "32")
    with pytest.raises(InputError, match="400x400"):
        train_config(override(config, "data.patch", "400"), tmp_path / "run", say=lambda line: None)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("field", ["pretrain.optimizer", "adversarial.optimizer", "optimizer"])
def test_rates_of_no_parameter_show_before_anything_runs(flags, field):
    config = override(config_of(flags), f"{field}.rates.nope", "0.5")
    with pytest.raises(InputError, match=f"^config.{field}.rates.nope: no parameter has it"):
        check(config)


def test_a_finished_first_stage_of_another_network_is_refused(flags, uninterrupted, tmp_path):
    """Though much of it would fit; how it was trained may differ."""
    workdir = tmp_path / "run"
    shutil.copytree(uninterrupted / "psnr", workdir / "psnr")
    config = override(config_of(flags), "model_args.blocks", "2")
    with pytest.raises(InputError, match=r"psnr holds a run with model_args \{.*1, .*2"):
        train_config(config, workdir, say=lambda line: None)
    assert not (workdir / "checkpoints").exists()
    first = first_stage(replace(config_of(flags), guard=GuardConfig(spike=9.0)))
    assert first is not None
    refuse_another_run(workdir / "psnr", first, lambda line: None, network_alone=True)


def test_a_signal_at_the_end_of_the_first_stage_stops_the_run(flags, uninterrupted, tmp_path):
    workdir = tmp_path / "run"

    def react(line: str) -> None:
        if line.startswith(f"step {STEPS}: validation"):
            os.kill(os.getpid(), signal.SIGTERM)

    assert train(flags, workdir, react) == 128 + signal.SIGTERM
    assert digests(workdir / "psnr") == digests(uninterrupted / "psnr")
    assert not (workdir / "checkpoints").exists()


@pytest.mark.parametrize(("stage", "field"), [("psnr", "pretrain.optimizer"), ("", "optimizer")])
def test_the_rate_to_lower_is_that_of_the_stage(flags, stage, field):
    config = override(config_of(flags), "guard.skips", "1")
    bar, log = SimpleNamespace(update=lambda steps: None), SimpleNamespace()
    meter = Meter(config, 0, float, bar, cast(Any, log), lambda line: None, stage)
    with pytest.raises(InputError, match=f"loss is nan.* lower config.{field}.learning_rate or"):
        meter.read({"loss": jnp.array(jnp.nan), "skipped": jnp.array(1.0)})


def test_psnr_does_not_rank_a_second_stage(flags, uninterrupted, tmp_path):
    """Even one without discriminators; and its end does not need the first stage's checkpoints."""
    config = replace(config_of(flags), adversarial=AdversarialConfig(), steps=2, validate_every=1)
    workdir, lines = tmp_path / "run", []
    shutil.copytree(uninterrupted / "psnr", workdir / "psnr")
    outcome = train_config(config, workdir, say=lines.append)
    assert outcome.comparison is not None and len(outcome.comparison.rows) == 3
    assert [read_meta(path)["metrics"] for path in step_folders(workdir / "checkpoints")] == [
        {}
    ] * 2
    shutil.rmtree(workdir / "psnr" / "checkpoints")
    outcome = train_config(config, workdir, say=lines.append)
    assert outcome.comparison is not None and len(outcome.comparison.rows) == 2


def test_the_generator_is_the_averaged_one(uninterrupted):
    """And that of the second stage, though the first has the better PSNR."""
    model, variables, spec = load_model(uninterrupted)
    raw = load_model(uninterrupted, averaged=False)[1]
    before = load_model(uninterrupted / "psnr")[1]
    assert spec["config"]["adversarial"]["discriminators"]
    for other in (raw, before):
        assert any(
            not np.array_equal(a, b)
            for a, b in zip(
                jax.tree.leaves(variables["params"]),
                jax.tree.leaves(other["params"]),
                strict=True,
            )
        )
    sr = model.apply(variables, np.zeros((1, 8, 8, 3), np.float32))
    assert sr.shape == (1, 32, 32, 3)
