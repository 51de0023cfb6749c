"""eval.py against a computation of its own in NumPy, and the inputs it refuses."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.run import run

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH = 24, 30


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


def load(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture
def data(tmp_path) -> Path:
    """Two HR images, one with a row and a column too many."""
    noise = np.random.default_rng(5)
    for name, more in (("a", 0), ("b", 1)):
        size = (WIDTH + more, HEIGHT + more)
        coarse = Image.fromarray(noise.integers(0, 256, (6, 6, 3), np.uint8))
        smooth = np.asarray(coarse.resize(size, Image.Resampling.BILINEAR))
        pixels = smooth // 2 + noise.integers(0, 99, smooth.shape, np.uint8)
        save(tmp_path / "set" / "HR" / f"{name}.png", pixels)
    return tmp_path / "set"


# The protocols once more, in float64 and with matrices.


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def resizing(n: int, m: int) -> np.ndarray:
    """MATLAB's bicubic imresize from n to m pixels as a matrix [m, n]; edges are mirrored."""
    matrix = np.zeros((m, n))
    stretch = min(1.0, m / n)
    for i in range(m):
        centre = (i + 0.5) * n / m - 0.5
        for j in range(-n, 2 * n):
            mirrored = j % (2 * n)
            mirrored = min(mirrored, 2 * n - 1 - mirrored)
            matrix[i, mirrored] += cubic(stretch * (centre - j))
    return matrix / matrix.sum(1, keepdims=True)


def to_8bit(x: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(x + 0.5), 0, 255)


def to_luma(rgb: np.ndarray) -> np.ndarray:
    return rgb @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def bicubic_psnr(hr: np.ndarray, protocol: str) -> float:
    """PSNR-Y of bicubic x2."""
    hr = hr[:HEIGHT, :WIDTH].astype(float)
    down = [resizing(n, n // 2) for n in (HEIGHT, WIDTH)]
    up = [resizing(n // 2, n) for n in (HEIGHT, WIDTH)]
    if protocol == "y-uint8":
        hr = to_8bit(to_luma(hr))
        lr = down[0] @ hr @ down[1].T
        sr = to_8bit(up[0] @ lr @ up[1].T)
    else:
        lr = to_8bit(np.einsum("ih,hwc->iwc", down[0], hr))
        lr = to_8bit(np.einsum("jw,iwc->ijc", down[1], lr))
        sr = to_luma(to_8bit(np.einsum("hi,wj,ijc->hwc", *up, lr)))
        hr = to_luma(hr)
    return 10 * np.log10(255**2 / np.mean((sr - hr)[2:-2, 2:-2] ** 2))


@pytest.mark.parametrize("protocol", ["rgb", "y-uint8"])
def test_bicubic(data, tmp_path, capsys, protocol):
    arguments = ("--model=bicubic", "--scale=2", f"--data={data}", f"--protocol={protocol}")
    assert call(*arguments, f"--json={tmp_path / 'out.json'}") == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert list(report) == ["model", "scale", "protocol", "degradation", "sets"]
    assert (report["model"], report["scale"], report["protocol"]) == ("bicubic", 2, protocol)
    assert report["degradation"] == "bicubic"
    ((name, scores),) = report["sets"].items()
    assert name == "set" and list(scores) == ["psnr", "ssim", "n", "images"]
    expected = [bicubic_psnr(load(data / "HR" / f"{x}.png"), protocol) for x in "ab"]
    found = [scores["images"][f"{x}.png"]["psnr"] for x in "ab"]
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert scores["psnr"] == pytest.approx(np.mean(expected), abs=0.01)
    assert scores["n"] == 2 and 0 < scores["ssim"] < 1

    title, head, line = capsys.readouterr().out.splitlines()
    assert title == f"bicubic x2, protocol {protocol}, degradation bicubic"
    assert head.split() == ["set", "PSNR-Y", "SSIM-Y", "images", "seconds"]
    assert len(head) == len(line)
    assert line.split()[:-1] == [
        *("set", f"{scores['psnr']:.2f}", "dB", f"{scores['ssim']:.4f}", "2"),
    ]


def test_lr_files_and_save(data, tmp_path):
    """Nearest only repeats the pixels of LR, so what it saves tells which LR it got."""
    lr = {x: np.full((HEIGHT // 2, WIDTH // 2, 3), 40 + i, np.uint8) for i, x in enumerate("ab")}
    for x, pixels in lr.items():
        save(data / "LR_x2" / f"{x}.bmp", pixels)
    out = tmp_path / "out"
    assert call("--model=nearest", "--scale=2", f"--data={data}", f"--save={out}") == 0
    assert sorted(p.relative_to(out) for p in out.rglob("*.*")) == [
        *(Path("set") / f"{x}.png" for x in "ab"),
    ]
    for x, pixels in lr.items():
        assert np.array_equal(load(out / "set" / f"{x}.png"), pixels.repeat(2, 0).repeat(2, 1))


def test_saved_luma_keeps_its_colours(data, tmp_path):
    out = tmp_path / "out"
    arguments = ("--model=bicubic", "--scale=2", f"--data={data}", f"--save={out}")
    assert call(*arguments, "--protocol=y-uint8") == 0
    hr = load(data / "HR" / "a.png").astype(float)
    difference = load(out / "set" / "a.png") - hr
    assert np.sqrt(np.mean(difference**2)) < 0.7 * hr.std()


def test_several_sets(data, tmp_path, capsys):
    flat = tmp_path / "plain"
    save(flat / "a.png", load(data / "HR" / "a.png"))
    report = tmp_path / "out.json"
    arguments = ("--model=nearest", "--scale=2", f"--data={data},{flat}", f"--json={report}")
    assert call(*arguments) == 0
    sets = json.loads(report.read_text())["sets"]
    assert list(sets) == ["set", "plain"]
    assert sets["set"]["images"]["a.png"] == sets["plain"]["images"]["a.png"]
    assert len(capsys.readouterr().out.splitlines()) == 4


# Refusals.


@pytest.fixture
def refused(data, capsys):
    """The line on stderr of a call with status 2 that has printed and written nothing else."""

    def call_refused(*arguments, folder=data):
        before = sorted(data.parent.rglob("*"))
        assert call(f"--data={folder}", *arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        assert printed.err.startswith("error: ")
        assert sorted(data.parent.rglob("*")) == before
        return printed.err

    return call_refused


NEAREST = ("--model=nearest", "--scale=2")


def test_lr_files_that_do_not_fit(refused, data):
    lr = np.zeros((HEIGHT // 2, WIDTH // 2, 3), np.uint8)
    save(data / "LR_x2" / "a.png", lr)
    message = refused(*NEAREST)
    assert "LR_x2" in message and "b.png" in message
    save(data / "LR_x2" / "b.png", lr[:-1])
    message = refused(*NEAREST)
    assert "LR_x2/b.png" in message and "15x11" in message and "15x12" in message


def test_images_that_cannot_be_scored(refused, data, tmp_path):
    whole = (data / "HR" / "a.png").read_bytes()
    (data / "HR" / "c.png").write_bytes(whole[: len(whole) // 2])
    assert "c.png" in refused(*NEAREST)
    (data / "HR" / "c.png").write_text("text")
    assert "c.png" in refused(*NEAREST)
    save(data / "HR" / "c.png", np.zeros((14, 40, 3), np.uint8))
    message = refused(*NEAREST)
    assert "c.png" in message and "40x14" in message and "x2" in message


def test_folders(refused, data, tmp_path):
    assert "missing" in refused(*NEAREST, folder=tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "empty" in refused(*NEAREST, folder=tmp_path / "empty")
    assert "--data" in refused(*NEAREST, folder="")
    message = refused(*NEAREST, folder=f"{data},{data}")
    assert "--data" in message and "set" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*NEAREST, "--protocol=y-unit8"), ["y-unit8", "y-uint8"]),
        (("--model=nearst", "--scale=2"), ["nearst", "nearest"]),
        (("--model=nearest", "--scale=0"), ["nearest", "0"]),
        (("--model=espcn", "--scale=5"), ["espcn", "5"]),
        (("--model=nearest",), ["--scale"]),
        (("--model=espcn", "--scale=2"), ["espcn", "--checkpoint"]),
        (("--checkpoint=no/such/run",), ["no/such/run"]),
    ],
)
def test_arguments(refused, arguments, words):
    message = refused(*arguments)
    assert all(word in message for word in words), message


def test_a_run_without_a_checkpoint(refused, tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    message = refused(f"--checkpoint={tmp_path / 'run'}")
    assert str(tmp_path / "run") in message and "no checkpoint" in message


def test_results_that_would_overwrite(refused, data):
    """SAVE/SET/STEM.png must be no image that is read, whatever links lead there."""
    save(data / "LR_x2" / "a.png", np.zeros((HEIGHT // 2, WIDTH // 2, 3), np.uint8))
    save(data / "LR_x2" / "b.bmp", np.zeros((HEIGHT // 2, WIDTH // 2, 3), np.uint8))
    out = data.parent / "out"
    out.mkdir()
    for links_to, folder in ((data / "HR", data), (data / "LR_x2", data), (data, data / "HR")):
        (out / "set").unlink(missing_ok=True)
        (out / "set").symlink_to(links_to)
        place = out if folder == data else out / "set"
        before = {path: path.read_bytes() for path in data.rglob("*.*")}
        message = refused(*NEAREST, f"--save={place}", folder=folder)
        assert f"--save: {place / folder.name / 'a.png'} is an input" in message
        assert before == {path: path.read_bytes() for path in before}


def test_models_that_cannot_be_used(refused):
    assert "give --model=NAME, --weights=FILE or --checkpoint=DIR" in refused()
    assert "espcn has no weights of its own" in refused("--model=espcn", "--scale=2")
    assert "say how many times" in refused("--model=bicubic")
    assert "none.pth: there is no such file" in refused("--weights=none.pth")


def test_results_of_one_name(refused, data):
    save(data / "HR" / "a.bmp", load(data / "HR" / "a.png"))
    message = refused(*NEAREST, f"--save={data / 'out'}")
    assert "a.bmp and a.png would both be written to" in message and "out/set/a.png" in message
    assert call(f"--data={data}", *NEAREST) == 0


def test_outputs_that_cannot_be_written(refused, data):
    (data / "taken").write_text("")
    for place in (data, data / "missing" / "x.json", data / "taken" / "x.json"):
        assert f"--json: cannot write {place}" in refused(*NEAREST, f"--json={place}")
    assert "error: --save: cannot make" in refused(*NEAREST, f"--save={data / 'taken'}")
    assert not list(data.parent.rglob(".*"))


@pytest.mark.parametrize(
    "arguments",
    [[], ["--model=bicubic"], ["--weights=x", "--checkpoint=x", "--data=x"]],
)
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: eval.py" in capsys.readouterr().err
