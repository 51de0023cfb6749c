"""A run with batch norm, dropout, supervised outputs, a sum of losses and a scale drawn for every
step that is stopped and started again ends as one that never stopped, bit for bit."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.errors import InputError
from jaxsr.loading import load_model as load_network
from jaxsr.training.checkpoint import Checkpoints, load_model
from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, override
from jaxsr.training.loop import train
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.scales import scales_of
from jaxsr.training.state import TrainState, create_state

LOSS = {"mse": 1.0, "vgg_random_conv1_1": 0.25}
STEPS, STOP, SEED = 8, 3, 3  # of a seed that draws both scales before and after


@pytest.fixture(autouse=True)
def less_to_compile():
    """XLA's own random bits, since the default ones take seconds to compile."""
    with jax.default_prng_impl("rbg"):
        yield


@pytest.fixture
def config(everything, tmp_path) -> TrainConfig:
    noise = np.random.default_rng(0)
    for i in range(2):
        pixels = noise.integers(0, 256, (40, 44, 3), np.uint8)
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
    return TrainConfig(
        *("everything", 2, "y-uint8", "mse", STEPS),
        data=DataConfig((str(tmp_path / "images"),), patch=8, batch=2),
        optimizer=OptimizerConfig(
            *("adam", 1e-2, "step"),
            decay_every=4,
            weight_decay=1e-3,
            adjustable_clip=0.1,
            rates={"tail": 0.5},
        ),
        supervision="anneal",
        anneal_steps=6,
        scales=(2, 3),
        seed=SEED,
        log_every=1,
        checkpoint_every=100,
    )


def quiet(line: str) -> None:
    del line


def end_of(config: TrainConfig, everything: Any, workdir: Path) -> TrainState:
    """The final checkpoint, the key as its words."""
    optimizer = make_optimizer(config.optimizer, config.steps)
    like = create_state(everything(2), optimizer, jax.random.key(9), ema=True)
    found = Checkpoints(workdir / "checkpoints").restore(like)
    assert found is not None and found[2] == STEPS
    return replace(found[0], rng=jax.random.key_data(found[0].rng))


def losses_of(workdir: Path) -> list[list[float]]:
    """What the log has of every step: the loss and its terms."""
    names = ["", *(f"/{name}" for name in LOSS)]
    steps = {}
    for line in (workdir / "metrics.jsonl").read_text().splitlines():
        values = json.loads(line)
        if "train/loss" in values:
            steps[values["step"]] = [values[f"train/loss{name}"] for name in names]
    return [steps[step] for step in sorted(steps)]


def test_stopped_and_started_again(config, everything, tmp_path):
    def stop(line: str) -> None:
        if line.startswith(f"step {STOP}/"):
            os.kill(os.getpid(), signal.SIGTERM)

    config = replace(config, loss=LOSS)
    drawn = [scales_of(config, step) for step in range(STEPS)]
    assert {*drawn[:STOP]} == {*drawn[STOP + 1 :]} == {(2,), (3,)}
    assert train(config, tmp_path / "whole", say=quiet).step == STEPS
    outcome = train(config, tmp_path / "cut", say=stop)
    assert outcome.stopped_by == "SIGTERM" and STOP <= outcome.step < STEPS
    lines: list[str] = []
    assert train(config, tmp_path / "cut", say=lines.append).step == STEPS
    assert lines[0].startswith("resuming")

    whole, cut = (end_of(config, everything, tmp_path / name) for name in ("whole", "cut"))
    jax.tree.map(np.testing.assert_array_equal, cut, whole)
    logs = [losses_of(tmp_path / name) for name in ("whole", "cut")]
    assert logs[0] == logs[1] and len(logs[0]) == STEPS
    for total, *terms in logs[0]:
        assert total == pytest.approx(np.dot(terms, list(LOSS.values())), rel=1e-5)
    # Each head has counted the steps that were its own.
    counts = {head: int(part.count) for head, part in whole.opt_state.items()}
    own = {f"x{s}": sum(s in scales for scales in drawn) for s in (2, 3)}
    assert counts == {"shared": STEPS, **own}
    assert not np.array_equal(whole.batch_stats["norm"]["mean"], np.zeros(4))
    variables = load_model(tmp_path / "cut")[1]
    assert set(variables) == {"params", "batch_stats"}
    jax.tree.map(np.testing.assert_array_equal, variables["batch_stats"], whole.batch_stats)


def test_scales_in_one_batch_and_a_start_from_another_run(config, tmp_path):
    config = override(override(config, "scale_mix", "batch"), "data.patch", "12")
    config = override(config, "steps", "2")
    train(config, tmp_path / "first", say=quiet)
    second = override(config, "init_from", str(tmp_path / "first"))
    lines: list[str] = []
    train(second, tmp_path / "second", say=lines.append)
    assert lines[0] == f"starting from {tmp_path / 'first'}: 12 of 12 tensors"
    lines.clear()
    found = {s: load_network(tmp_path / "first", scale=s) for s in (None, 2, 3)}
    assert {s: module.scale for s, (module, _, _) in found.items()} == {None: 2, 2: 2, 3: 3}
    assert found[3][2]["scales"] == [2, 3] and found[3][2]["config"]["scale"] == 3
    with pytest.raises(InputError, match=r"--scale 4, but .* enlarges 2 or 3 times"):
        load_network(tmp_path / "first", scale=4)
    (tmp_path / "first").rename(tmp_path / "moved")  # what has started needs it no more
    train(override(second, "steps", "3"), tmp_path / "second", say=lines.append)
    assert f"resuming {tmp_path / 'second'} at step 2" in lines
    # An unfinished first checkpoint, as Orbax names it, is no start.
    (tmp_path / "third" / "checkpoints" / "2.orbax-checkpoint-tmp-1").mkdir(parents=True)
    with pytest.raises(InputError, match=str(tmp_path / "first")):
        train(second, tmp_path / "third", say=quiet)
    assert [path.name for path in (tmp_path / "third").iterdir()] == ["checkpoints"]
    with pytest.raises(InputError, match=r"a run with optimizer.name adam, the config says sgd"):
        train(override(second, "optimizer.name", "sgd"), tmp_path / "second", say=quiet)
