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

    def make(file, model, sets, scale=4, protocol="rgb", **more):
        path = tmp_path / file
        value = {"model": model, "scale": scale, "protocol": protocol, "sets": sets, **more}
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
    large = json.dumps({"sets": {"S": {"psnr": 10**400, "niqe": 5.0}}})  # than any float
    for text, want in (
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "has no 'sets'"),
        ('{"sets": {}}', "has no"),
        (large, "of S, no rmse or psnr"),
        ('{"sets": {"S": {"psnr": NaN, "niqe": 5}}}', "of S, no rmse or psnr"),
    ):
        far.write_text(text)
        assert f"far.json: {want}" in fails(far)
    assert "there.json: cannot be read" in fails(tmp_path / "there.json")


def test_what_does_not_compare_is_told(result, tmp_path, capsys):
    both = {"Set5": measures(12, niqe=6.5, lpips=0.2)}
    one = result("1.json", "m", both, niqe_model="LIVE's", degradation="bicubic")
    own = {"niqe_model": "fitted to 30 images", "protocol": "y-uint8", "degradation": [{"blur": 2}]}
    other = result("2.json", "m", {"Set5": {**both["Set5"], "n": 4}}, **own)
    lines = [
        f"warning: protocol: rgb in {one}, y-uint8 in {other}; their points do not compare",
        f"warning: degradation: bicubic in {one}, [{{'blur': 2}}] in {other};",
        f"warning: NIQE's model: LIVE's in {one}, fitted to 30 images in {other};",
        f"warning: number of images of Set5: 5 in {one}, 4 in {other};",
    ]
    assert call(one, other, "-o", tmp_path / "plane.html") == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4 and all(map(str.startswith, told, lines))
    assert call(one, other, "-o", tmp_path / "plane.html", "--perception", "lpips") == 0
    assert "NIQE" not in capsys.readouterr().err
    untold = result("3.json", "\ud800", both, protocol=None)  # half a character
    assert call(one, untold, "-o", tmp_path / "plane.html") == 0
    assert capsys.readouterr().err == "" and "<td>?</td>" in (tmp_path / "plane.html").read_text()
