"""The `tiny` variant of some recipes from end to end, and how a run reports itself.

`test_configs` takes the first step of all of them.
"""

import importlib.util
import json
import math
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache
from PIL import Image

from jaxsr.errors import InputError
from jaxsr.training.config import TrainConfig, load_config, override, to_dict
from jaxsr.training.loop import train

ROOT = Path(__file__).parents[2]
# Luma, RGB, images of its own, batch statistics.
CONFIGS = ("espcn_x3", "edsr", "quickstart", "srresnet")


@pytest.fixture(scope="module", autouse=True)
def less_to_compile(tmp_path_factory):
    """XLA's own random bits, since the default ones take seconds to compile for every model, and a
    cache on disk, since eval.py scores as training did."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("xla")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    compilation_cache.reset_cache()  # it remembers the folder, or that there was none
    with jax.default_prng_impl("rbg"):
        yield
    jax.config.update("jax_compilation_cache_dir", None)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Smooth random textures to train and to validate on."""
    noise = np.random.default_rng(0)
    data = tmp_path_factory.mktemp("data")
    for name, count in (("train", 3), ("validation", 2)):
        (data / name).mkdir()
        for i in range(count):
            seed = Image.fromarray(noise.integers(0, 256, (9, 9, 3), np.uint8))
            seed.resize((66, 60), Image.Resampling.BICUBIC).save(data / name / f"{i}.png")
    return {"train": data / "train", "validation": data / "validation"}


def tiny(config: str, folders: dict[str, Path]) -> TrainConfig:
    loaded = load_config(f"{ROOT / 'configs' / config}.py:tiny")
    for name, folder in folders.items():
        loaded = override(loaded, f"data.{name}", str(folder))
    return loaded


def read_log(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def evaluated(workdir: Path, data: str, json_file: Path) -> dict[str, dict[str, float]]:
    """The `sets` that eval.py reports of the run's best checkpoint."""
    spec = importlib.util.spec_from_file_location("eval_py", ROOT / "eval.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    arguments = [f"--checkpoint={workdir}", f"--data={data}", f"--json={json_file}"]
    assert module.main(arguments) == 0
    return json.loads(json_file.read_text())["sets"]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_trains(name, folders, tmp_path):
    # The quick start brings its own photographs.
    config = tiny(name, {} if name == "quickstart" else folders)
    workdir, lines = tmp_path / "runs" / name, []
    outcome = train(config, workdir, say=lines.append)

    assert outcome.step == config.steps and outcome.stopped_by is None
    assert outcome.comparison is not None
    assert [label for label, _ in outcome.comparison.rows] == ["bicubic", config.model]
    log = read_log(workdir)
    losses = {int(line["step"]): line["train/loss"] for line in log if "train/loss" in line}
    assert list(losses) == list(range(config.log_every, config.steps + 1, config.log_every))
    assert all(math.isfinite(loss) for loss in losses.values())
    waits = [line["train/data_wait"] for line in log if "train/data_wait" in line]
    assert len(waits) == len(losses) and all(0 <= wait <= 1 for wait in waits)

    present = {path.name for path in workdir.iterdir()}
    assert present == {
        *(".lock", "checkpoints", "config.json", "metrics.jsonl"),
        *("side_by_side.png", "tensorboard", "versions.json"),
    }
    assert (workdir / "checkpoints" / str(config.steps)).is_dir()
    assert list((workdir / "tensorboard").glob("events.*"))
    as_json = json.loads(json.dumps(to_dict(config)))
    assert json.loads((workdir / "config.json").read_text()) == as_json
    assert json.loads((workdir / "versions.json").read_text())["jax"] == jax.__version__
    assert outcome.comparison.picture == workdir / "side_by_side.png"
    assert Image.open(workdir / "side_by_side.png").mode == "RGB"

    # eval.py finds the best checkpoint and gives the numbers that training saw.
    best = max((line for line in log if "validation/psnr" in line), key=_psnr)
    scores = [
        score
        for a_set in evaluated(
            workdir, ",".join(config.data.validation), tmp_path / "scores.json"
        ).values()
        for score in a_set["images"].values()  # pyright: ignore[reportAttributeAccessIssue]
    ]
    assert len(scores) == 2
    for key in ("psnr", "ssim"):
        mean = np.mean([score[key] for score in scores])
        assert mean == pytest.approx(best[f"validation/{key}"], abs=1e-4)
    assert any(f"PSNR-Y {best['validation/psnr']:.2f} dB" in line for line in lines)


def _psnr(line: dict[str, float]) -> float:
    return line["validation/psnr"]


@pytest.fixture
def short(folders) -> TrainConfig:
    """A few steps of the smallest EDSR without validation."""
    config = tiny("edsr", folders)
    for name, value in (("steps", "4"), ("log_every", "2"), ("data.validation", "")):
        config = override(config, name, value)
    return config


def test_without_validation_images(short, folders, tmp_path):
    Image.new("RGB", (31, 99)).save(folders["train"] / "narrow.png")
    lines = []
    try:
        outcome = train(short, tmp_path / "run", say=lines.append)
    finally:
        (folders["train"] / "narrow.png").unlink()
    assert (outcome.step, outcome.comparison) == (4, None)
    assert not (tmp_path / "run" / "side_by_side.png").exists()
    assert (tmp_path / "run" / "checkpoints" / "4").is_dir()
    assert lines[0] == "left out, smaller than the 32 px patch: narrow.png 31x99"
    assert "edsr_baseline x2 on 1 cpu device(s): 3 images" in lines[1]
    assert lines[1].endswith(" 4 steps")
    assert [line.split(":")[0] for line in lines[2:]] == ["step 2/4", "step 4/4"]


def test_a_diverged_run_stops_and_saves_nothing(short, tmp_path):
    config = override(short, "optimizer.learning_rate", "1e30")
    config = override(config, "guard.skips", "2")
    lines = []
    with pytest.raises(InputError, match=r"diverged.* at step 3, the last of 2 .*learning_rate"):
        train(override(config, "checkpoint_every", "1"), tmp_path / "run", say=lines.append)
    # The first step saw the initial weights; what it made of them shows in the second.
    saved = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert set(saved) <= {"1"}
    assert all(math.isfinite(line["train/loss"]) for line in read_log(tmp_path / "run"))
    assert [line for line in lines if "the update is skipped" in line]
