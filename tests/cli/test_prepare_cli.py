"""`jaxsr prepare` through its parser, in process."""

import argparse
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli import prepare
from jaxsr.cli.run import run
from jaxsr.data import open_source


@pytest.fixture
def jaxsr():
    parser = argparse.ArgumentParser("jaxsr")
    prepare.add_parser(parser.add_subparsers(required=True))

    def main(argv):
        args = parser.parse_args(argv)
        return args.func(args)

    return lambda *argv: run(main, [str(a) for a in argv])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, (h, w) in enumerate([(300, 400), (10, 20), (500, 600), (40, 40)]):
        Image.fromarray(np.full((h, w, 3), i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_summary_and_dataset(jaxsr, photos, tmp_path, capfd):
    out = tmp_path / "dataset"
    assert jaxsr("prepare", photos, "-o", out, "--validation", 1) == 0
    assert capfd.readouterr() == (
        "images      4\n"
        "megapixels  0.4\n"
        "smallest    20x10\n"
        "largest     600x500\n"
        "splits      train 3, validation 1\n"
        f"dataset     {out}/photos/1.0.0\n"
        "\n"
        "Train on it:\n"
        f"  python train.py --config=configs/espcn_x3.py --config.data.train={out} "
        f"--config.data.validation={out} --workdir=runs/NAME\n",
        "",
    )
    assert open_source(out).names == ("0.png", "1.png", "3.png")
    assert "tensorflow" not in sys.modules


def test_the_printed_command_works_as_printed(jaxsr, photos, tmp_path, capfd):
    """The shell hands train.py the dataset, here with a space in its name, and nothing else."""
    out = tmp_path / "my dataset"
    assert jaxsr("prepare", photos, "-o", out) == 0
    command = shlex.split(capfd.readouterr().out.splitlines()[-1])
    assert command[:2] == ["python", "train.py"]
    assert [word for word in command if "data" in word] == [f"--config.data.train={out}"]


def test_pairs(jaxsr, tmp_path, capfd):
    for folder, side in (("HR", 16), ("LR_x4", 4)):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / folder / "a.png")
    hr, lr, out = tmp_path / "HR", tmp_path / "LR_x4", tmp_path / "out"
    assert jaxsr("prepare", f"{hr}+{lr}", "--scale", 4, "-o", out) == 0
    said = capfd.readouterr().out
    assert "\nLR images   1 at x4\n" in said
    assert f"--config=configs/edsr.py:baseline_x4 --config.data.train={out} " in said
    assert "--config.degradation=given" in said


def test_refusals_are_one_line_and_status_2(jaxsr, photos, tmp_path, capfd):
    assert jaxsr("prepare", tmp_path / "nowhere", "-o", tmp_path / "out") == 2
    assert jaxsr("prepare", photos, "-o", photos) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)
    with pytest.raises(SystemExit) as stop:
        jaxsr("prepare", photos)
    assert stop.value.code == 2
