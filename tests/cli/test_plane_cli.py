"""The command in-process: from files of eval.py to a picture and a page."""

import argparse
import json

import pytest

from jaxsr.cli.plane import add_parser
from jaxsr.cli.run import run
from jaxsr.image.io import read_image


def call(*arguments):
    def main(argv):
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(argv)
        return args.func(args)

    return run(main, ["plane", *map(str, arguments)])


@pytest.fixture
def result(tmp_path):
    """`result(file, model, {set: measures})`: writes what eval.py would."""

    def make(file, model, sets, scale=4, protocol="rgb"):
        path = tmp_path / file
        value = {"model": model, "scale": scale, "protocol": protocol, "sets": sets}
        path.write_text(json.dumps(value))
        return path

    return make


def measures(rmse, **more):
    return {"psnr": 40 - rmse, "rmse": rmse, "n": 5, "images": {}, **more}


@pytest.fixture
def files(result):
    return (
        result(
            "bicubic.json",
            "bicubic",
            {"Set5": measures(14, niqe=7.0), "B": measures(9), "C": measures(8, niqe=1.0)},
        ),
        result("i_0.json", "esrgan", {"Set5": measures(11, niqe=6.0)}),
        result("i_1.json", "esrgan", {"Set5": measures(15, niqe=3.5, lpips=0.1)}),
    )


def test_a_picture(files, tmp_path, capsys):
    out = tmp_path / "plane.png"
    assert call(files[0], "--curve", *files[1:], "-o", out) == 0
    assert capsys.readouterr().out == f"{out}: NIQE and RMSE on Set5, 3 result(s), 0 published\n"
    assert read_image(out).pixels.shape == (1360, 1920, 3)


def test_a_page(files, tmp_path, result):
    """Labels are given, of models, or of files where two have one model."""
    out = tmp_path / "plane.html"
    named = f"<mine>={files[0]}"
    assert call(named, "--curve", *files[1:], "-o", out, "--distortion", "psnr") == 0
    page = out.read_text("utf-8")
    assert "<script" not in page and "<mine>" not in page and "src=" not in page
    for row in (
        "<td>&lt;mine&gt;</td><td>26.00</td><td>7.000</td>",
        "<td>i_0</td><td>29.00</td><td>6.000</td>",
        "<td>i_1</td><td>25.00</td><td>3.500</td>",
    ):
        assert row in page
    pi = result("m.json", "m", {"Set14": measures(11, pi=3.0)})
    assert call(pi, "-o", out, "--literature") == 0
    page = out.read_text("utf-8")
    assert "EnhanceNet (published, PIRM-SR self-validation)</td><td>15.99</td><td>2.688<" in page


def test_refusals(files, result, tmp_path, capsys):
    out = tmp_path / "plane.png"

    def fails(*arguments, to=out):
        assert call(*arguments, "-o", to) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert not to.exists()
        return line

    bicubic, none, full = files
    assert "give files that `eval.py --json` wrote" in fails()
    assert "ends in .png or .html" in fails(bicubic, to=tmp_path / "plane.svg")
    assert "cannot be written" in fails(none, to=tmp_path / "no" / "plane.html")
    assert "i_0.json: of Set5, no lpips that all files have" in fails(
        full, none, "--perception", "lpips"
    )
    assert "not all files have 'B'" in fails(bicubic, full, "--set", "B")
    assert "did you mean 'Set5'?" in fails(bicubic, "--set", "Set4")
    assert "bicubic.json: of B, no pi or niqe or lpips that" in fails(bicubic, "--set", "B")
    assert "several sets; give --set, one of Set5, C" in fails(bicubic)
    assert "no published points of rmse and niqe on Set5" in fails(full, "--literature")
    other = result("x2.json", "x", {"Set5": measures(3, niqe=6.0)}, scale=2)
    assert "is x4" in fails(none, other) and "x2.json x2; give one scale" in fails(none, other)
    far = result("far.json", "x", {"Set14": measures(3, niqe=6.0)})
    assert "no set in common" in fails(none, far)
    for text, want in (("{", "is not JSON"), ("[1]", "has no 'sets'"), ('{"sets": {}}', "has no")):
        far.write_text(text)
        assert f"far.json: {want}" in fails(far)
    assert "there.json: cannot be read" in fails(tmp_path / "there.json")


def test_two_protocols_are_told(files, result, tmp_path, capsys):
    y = result("y.json", "y", {"Set5": measures(12, niqe=6.5)}, protocol="y-uint8")
    assert call(files[1], y, "-o", tmp_path / "plane.png") == 0
    assert "under protocol rgb, " in capsys.readouterr().err
