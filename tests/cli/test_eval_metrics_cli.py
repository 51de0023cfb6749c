"""eval.py --metrics: table, report and what is refused; the values are in tests/metrics."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.run import run
from jaxsr.metrics.niqe import NiqeModel, save_niqe_model
from jaxsr.metrics.registry import MEASURES

ROOT = Path(__file__).parents[2]


def main(arguments):
    spec = importlib.util.spec_from_file_location("eval_py", ROOT / "eval.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(arguments)


def call(*arguments) -> int:
    return run(main, [str(argument) for argument in arguments])


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path) -> Path:
    """A flat and a busy image, on which nearest is wrong by known amounts."""
    noise = np.random.default_rng(5)
    save(tmp_path / "set" / "HR" / "a.png", np.full((24, 24, 3), 90, np.uint8))
    save(tmp_path / "set" / "HR" / "b.png", noise.integers(0, 256, (24, 24, 3), np.uint8))
    return tmp_path / "set"


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "own.npz"
    save_niqe_model(path, NiqeModel(np.zeros(36), np.eye(36), "fitted to 2 images of made-up"))
    return path


@pytest.fixture
def refused(data, capsys):
    """The line on stderr of a call with status 2 that has printed nothing else."""

    def call_refused(*arguments):
        assert call("--model=nearest", "--scale=2", f"--data={data}", *arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        return printed.err

    return call_refused


@pytest.mark.parametrize("protocol", ["rgb", "y-uint8"])
def test_table_and_report(data, tmp_path, capsys, protocol):
    names = ["rmse", "psnr", "psnr_b", "consistency"]
    arguments = (f"--metrics={','.join(names)}", f"--protocol={protocol}")
    file = tmp_path / "out.json"
    what = ("--model=nearest", "--scale=2", f"--data={data}", f"--json={file}")
    assert call(*what, *arguments) == 0
    scores = json.loads(file.read_text())["sets"]["set"]
    assert list(scores) == [*names, "n", "images"]
    a, b = (scores["images"][name] for name in ("a.png", "b.png"))
    assert list(a) == names and a["rmse"] == 0 and a["psnr"] is None  # infinite
    assert b["psnr"] == pytest.approx(20 * np.log10(255 / b["rmse"]), abs=0.02)
    assert scores["rmse"] == pytest.approx(b["rmse"] / np.sqrt(2))  # of the mean of squares
    assert b["psnr_b"] <= b["psnr"] and 0 < b["consistency"] < 40

    _, head, line, *agree = capsys.readouterr().out.splitlines()
    titles = [MEASURES[name].title for name in names]
    assert head.split() == ["set", *titles, "images", "seconds"]
    assert len(head) == len(line) and line.split()[:2] == ["set", f"{scores['rmse']:.3f}"]
    assert [text.split(":")[0] for text in agree] == names
    assert "scikit-image" in agree[1]


def test_columns_of_long_names_stay_aligned(data, tmp_path, capsys):
    long = tmp_path / "a_folder_with_quite_a_long_name"
    save(long / "b.png", np.asarray(Image.open(data / "HR" / "b.png")))
    what = ("--model=nearest", "--scale=2", f"--data={data},{long}")
    assert call(*what, "--metrics=consistency,ssim") == 0
    _, *table = capsys.readouterr().out.splitlines()[:4]
    assert len({len(line) for line in table}) == 1
    assert table[2].startswith(f"{long.name}  ")


def test_niqe_says_which_model(data, tmp_path, capsys, model):
    """Of a flat picture there is none, which is said, and the set has none either."""
    noise = np.random.default_rng(5).integers(0, 256, (100, 200, 3), np.uint8)
    save(data / "HR" / "a.png", noise)
    save(data / "HR" / "b.png", np.zeros_like(noise))
    file = tmp_path / "out.json"
    what = ("--model=nearest", "--scale=2", f"--data={data}", f"--json={file}")
    assert call(*what, "--metrics=niqe", f"--niqe-model={model}") == 0
    printed = capsys.readouterr()
    assert printed.out.endswith("\nniqe: by the model fitted to 2 images of made-up\n")
    assert printed.err == "warning: b.png: niqe has no value for a picture so flat\n"
    report = json.loads(file.read_text())
    assert report["niqe_model"] == "fitted to 2 images of made-up"
    assert report["sets"]["set"]["niqe"] is None
    assert report["sets"]["set"]["images"]["a.png"]["niqe"] > 0


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--metrics=help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{printed}" for name in MEASURES)


def test_unknown_measures(refused):
    assert "unknown measure 'psrn'; did you mean 'psnr'?" in refused("--metrics=psrn")
    assert "psnr is named twice" in refused("--metrics=psnr,psnr")
    assert "unknown measure ''" in refused("--metrics=")


def test_images_too_small_for_a_measure(refused, model):
    for name, title, size in (("ms_ssim", "MS-SSIM", "180x180"), ("niqe", "NIQE", "196x100")):
        more = [f"--niqe-model={model}"] if name == "niqe" else []
        message = refused(f"--metrics=psnr,{name}", *more)
        assert f"a.png: 24x24 pixels are too few for {title} at x2, which needs {size}" in message


def test_models_of_niqe(refused, data, monkeypatch):
    monkeypatch.setenv("JAXSR_CACHE", str(data))
    message = refused("--metrics=niqe")
    assert "niqe_modelparameters.mat" in message and "jaxsr niqe-fit FOLDER" in message
    missing = data / "none.npz"
    expected = f"{missing}: there is no such file"
    assert expected in refused("--metrics=niqe", f"--niqe-model={missing}")
    assert "niqe is not among the --metrics" in refused(f"--niqe-model={missing}")
