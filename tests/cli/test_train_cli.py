"""train.py refuses what it cannot use: status 2, one line that names it, and nothing written."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.run import run

ROOT = Path(__file__).parents[2]
ESPCN = f"--config={ROOT / 'configs/espcn_x3.py'}:tiny"
EDSR = f"--config={ROOT / 'configs/edsr.py'}:tiny"


def main(arguments):
    spec = importlib.util.spec_from_file_location("train_py", ROOT / "train.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(arguments)


def save(path: Path, height: int = 60, width: int = 60) -> None:
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(height + width)
    Image.fromarray(noise.integers(0, 256, (height, width, 3), np.uint8)).save(path)


@pytest.fixture
def good(tmp_path) -> Path:
    """A folder of one image that can be trained on."""
    save(tmp_path / "good" / "a.png")
    return tmp_path / "good"


@pytest.fixture
def refused(tmp_path, good, capsys):
    """`refused(*arguments)`: the line on stderr, after checking that nothing else happened."""

    def call(*arguments, config=ESPCN, workdir=tmp_path / "run"):
        data = [f"--config.data.train={good}", f"--config.data.validation={good}"]
        before = sorted(tmp_path.rglob("*"))
        assert run(main, [config, f"--workdir={workdir}", *data, *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        assert printed.err.startswith("error: ") and printed.err.endswith("\n")
        assert sorted(tmp_path.rglob("*")) == before
        return printed.err

    return call


@pytest.mark.parametrize("field", ["train", "validation"])
def test_folders_without_images(refused, tmp_path, field):
    (tmp_path / "empty").mkdir()
    for name in ("missing", "empty"):
        assert str(tmp_path / name) in refused(f"--config.data.{field}={tmp_path / name}")


@pytest.mark.parametrize("field", ["train", "validation"])
def test_broken_images(refused, tmp_path, field):
    save(tmp_path / "cut" / "a.png")
    whole = (tmp_path / "cut" / "a.png").read_bytes()
    (tmp_path / "cut" / "broken.png").write_bytes(whole[: len(whole) // 2])
    assert "broken.png" in refused(f"--config.data.{field}={tmp_path / 'cut'}")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.png").write_text("not an image")
    assert "notes.png" in refused(f"--config.data.{field}={tmp_path / 'text'}")


def test_images_without_room_for_a_patch(refused, tmp_path):
    save(tmp_path / "dot" / "dot.png", 1, 1)
    message = refused(f"--config.data.train={tmp_path / 'dot'}")
    assert "dot.png 1x1" in message and "51x51" in message
    message = refused("--config.data.patch=63")
    assert "a.png 60x60" in message and "63x63" in message


def test_a_validation_image_too_small_to_score(refused, tmp_path):
    save(tmp_path / "dot" / "dot.png", 1, 1)
    assert "dot.png" in refused(f"--config.data.validation={tmp_path / 'dot'}")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--config.optimizer.learning_rat=1", ["config.optimizer.learning_rat", "learning_rate"]),
        ("--config.steps=abc", ["config.steps", "int", "'abc'"]),
        ("--config.data.batch=2.5", ["config.data.batch", "int", "2.5"]),
        ("--config.data.batch=0", ["config.data.batch", "0"]),
        ("--config.data=x", ["config.data"]),
        ("--config.data.patch=50", ["config.data.patch", "50", "scale 3", "51"]),
        ("--config.scale=7", ["espcn", "7"]),
        ("--config.model=espcm", ["espcm", "espcn"]),
        ("--config.model=bicubic", ["config.model", "bicubic"]),
        ("--config.model_args.widht=3", ["espcn", "widht", "icnr"]),
        ("--config.loss=l3", ["l3"]),
        ("--config.protocol=y_uint8", ["y_uint8", "y-uint8"]),
        ("--config.degradation=bicubi", ["bicubi", "bicubic"]),
        ("--config.optimizer.schedule=cosin", ["config.optimizer.schedule", "cosine"]),
        ("--config.optimizer.warmup=21", ["config.optimizer.warmup", "21", "20"]),
        ("--config.ema=1", ["config.ema", "1"]),
        ("--config.steps", ["--config.steps"]),
        ("--config.nonsense=1", ["config.nonsense"]),
        ("--steps=3", ["--steps=3"]),
        ("stray", ["stray"]),
    ],
)
def test_arguments(refused, argument, words):
    message = refused(argument)
    assert all(word in message for word in words), message


def test_a_luma_protocol_with_an_rgb_model(refused):
    message = refused("--config.protocol=y-uint8", config=EDSR)
    assert "config.protocol" in message and "y-uint8" in message and "edsr_baseline" in message


def test_configs_that_are_not_there(refused, tmp_path):
    assert "configs/missing.py" in refused(config="--config=configs/missing.py:tiny")
    message = refused(config=ESPCN.replace(":tiny", ":tyni"))
    assert "'tyni'" in message and "tiny" in message
    (tmp_path / "bad.py").write_text("import no_such_module_anywhere\n")
    message = refused(config=f"--config={tmp_path / 'bad.py'}")
    assert "bad.py" in message and "no_such_module_anywhere" in message
    (tmp_path / "empty.py").write_text("")
    assert "get_config" in refused(config=f"--config={tmp_path / 'empty.py'}")


def test_a_workdir_that_cannot_be_one(refused, tmp_path):
    (tmp_path / "taken").write_text("")
    for workdir in (tmp_path / "taken", tmp_path / "taken" / "run"):
        assert str(workdir) in refused(workdir=workdir)


def test_a_batch_that_does_not_split(refused, monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 3)
    message = refused()
    assert "config.data.batch: 4" in message and "3 devices" in message


@pytest.mark.parametrize("arguments", [[], ["--config=x"], ["--workdir=x"], ["--config"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: train.py" in capsys.readouterr().err


def test_another_run_in_the_workdir(refused, tmp_path, capsys):
    from jaxsr.training.checkpoint import Checkpoints
    from jaxsr.training.config import load_config, to_dict

    spec = {"config": to_dict(load_config(EDSR.removeprefix("--config=")))}
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        checkpoints.save(5, {"params": np.zeros(3)}, spec=spec)
    message = refused()
    assert "espcn" in message and "edsr_baseline" in message and str(tmp_path / "run") in message
