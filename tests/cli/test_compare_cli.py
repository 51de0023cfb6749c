"""The command in-process: the page that is written, and what is refused with nothing written."""

import argparse
import base64
import json
import re

import numpy as np
import pytest

from jaxsr.cli.compare import add_parser
from jaxsr.cli.run import run
from jaxsr.image.io import Picture, write_image


def call(*arguments):
    def main(argv):
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(argv)
        return args.func(args)

    return run(main, ["compare", *map(str, arguments)])


@pytest.fixture
def folders(tmp_path):
    """HR, and results with errors of 8 and of 2 gray levels, of three images."""
    hr = np.random.default_rng(0).integers(10, 240, (3, 16, 16, 3), np.uint8)
    for name, step in (("HR", 0), ("coarse", 8), ("fine", 2)):
        (tmp_path / name).mkdir()
        for i, x in enumerate(hr):
            write_image(tmp_path / name / f"{i}.png", Picture(x + np.uint8(step)))
    return tmp_path


def test_a_page(folders, capsys):
    out = folders / "report.html"
    arguments = (folders / "coarse", f"<b>=&={folders / 'fine'}", "--hr", folders / "HR")
    assert call(*arguments, "-o", out, "--scale", 1, "--max", 2) == 2
    assert "no such file or folder" in capsys.readouterr().err  # "=&=..." is the path
    arguments = (folders / "coarse", f"<b>&={folders / 'fine'}", "--hr", folders / "HR")
    assert call(*arguments, "-o", out, "--scale", 1, "--max", 2) == 0
    assert re.fullmatch(rf"{out}: 3 image\(s\), 3 columns, \d\.\d MiB\n", capsys.readouterr().out)
    page = out.read_text("utf-8")
    assert "http" not in page and "<b>" not in page
    pictures = dict(re.findall(r'<script id="(p\d-\d)" type="text/plain">(.*)</script>', page))
    assert sorted(pictures) == [f"p{i}-{j}" for i in range(2) for j in range(3)]
    assert base64.b64decode(pictures["p1-0"]).startswith(b"\x89PNG")
    (text,) = re.findall(r'<script id="data" type="application/json">(.*)</script>', page)
    data = json.loads(text)
    assert [column["label"] for column in data["columns"]] == ["coarse", "<b>&", "HR"]
    assert [image["name"] for image in data["images"]] == ["0.png", "1.png"]
    # The same error e in R, G and B is one of 219/255 e in luma.
    for step, label in ((8, "coarse"), (2, "&lt;b&gt;&amp;")):
        db = 20 * np.log10(255 * 255 / 219 / step)
        assert f">{label}</td><td data-value=" in page
        assert f">{db:.2f}</td>" in page
    assert page.count("<tr") == 2 + 2 + 3


def test_nothing_is_left_of_what_fails(folders, capsys):
    def fails(*arguments):
        assert call(*arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert {p.name for p in folders.iterdir()} == {"HR", "coarse", "fine"}
        return line

    out = folders / "report.html"
    pair = folders / "coarse", folders / "fine"
    assert "give a name that ends in .html" in fails(*pair, "-o", folders / "report.pdf")
    assert "--max: at least 1, got 0" in fails(*pair, "-o", out, "--max", 0)
    assert "--scale: 1 to 16, got 17" in fails(*pair, "-o", out, "--scale", 17)
    assert "cannot be written" in fails(*pair, "-o", folders / "none" / "report.html")
    assert "give more results" in fails(folders / "fine", "-o", out)
    (folders / "fine" / "2.png").write_text("no picture")
    assert "2.png: not a PNG" in fails(*pair, "-o", out)
