"""`jaxsr mos`: what it prints and writes, and what it refuses."""

import json
import os

import numpy as np
import pytest

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.image.io import Picture, read_image, write_image


def call(*arguments):
    return run(main, ["mos", *map(str, arguments)])


@pytest.fixture
def page(tmp_path, capsys):
    """A page of two methods and two images."""
    for i, method in enumerate(("net", "HR")):
        (tmp_path / method).mkdir()
        for image in ("a", "b"):
            pixels = np.full((8, 8, 3), 60 * i, np.uint8)
            write_image(tmp_path / method / f"{image}.png", Picture(pixels))
    out = tmp_path / "rate.html"
    assert call("make", tmp_path / "net", f"original={tmp_path / 'HR'}", "-o", out) == 0
    printed = capsys.readouterr().out
    assert f"{out}  2 methods x 2 images = 4 pictures, 0.0 MB: for the raters" in printed
    assert f"{tmp_path / 'rate.key.json'}  which method is which" in printed
    return out


@pytest.fixture
def answer(page):
    """`answer(name, opinion, **changes)`: writes an answers file beside the page."""
    key = json.loads(page.with_suffix(".key.json").read_text())

    def write(name, opinion, **changes):
        answers = [{"id": i, "score": opinion[s["method"]]} for i, s in key["stimuli"].items()]
        value = {
            "format": "jaxsr mos answers 1",
            "page": key["page"],
            "rater": name,
            "answers": answers,
        }
        file = page.parent / f"{name}.json"
        file.write_text(json.dumps(value | changes))
        return file

    return write


def test_score(page, answer, tmp_path, capsys):
    answer("ann", {"net": 3, "original": 5})
    answer("bob", {"net": 4, "original": 5})
    plot, report = tmp_path / "plot.png", tmp_path / "out.js"
    # The folder holds the key, too.
    key = page.with_suffix(".key.json")
    assert call("score", tmp_path, "--key", key, "-o", plot, "--json", report) == 0
    printed = capsys.readouterr()
    head, *rows, last = printed.out.splitlines()
    assert printed.err == "" and last == "2 raters, 8 ratings"
    assert [" ".join(row.split()) for row in (head, *rows)] == [
        "method MOS ± 95 % unbiased ± 95 % n 1 2 3 4 5",
        "original 5.00 0.00 5.00 0.46 4 0 0 0 0 4",
        "net 3.50 0.92 3.50 0.46 4 0 0 2 2 0",
    ]
    assert len({len(row) for row in (head, *rows)}) == 1
    value = json.loads(report.read_text())
    assert value["raters"] == ["ann", "bob"]
    assert value["methods"]["net"]["mos"] == 3.5 and value["methods"]["net"]["n"] == 4
    assert value["methods"]["net"]["counts"] == {"1": 0, "2": 0, "3": 2, "4": 2, "5": 0}
    low, high = value["methods"]["net"]["interval"]
    assert (low + high) / 2 == 3.5 and high - low == pytest.approx(2 * 0.9187, abs=1e-4)
    assert read_image(plot).pixels.shape[2] == 3


def test_malformed_answers_are_named_and_left_out(page, answer, tmp_path, capsys):
    opinion = {"net": 3, "original": 5}
    good = answer("ann", opinion)
    rows = json.loads(good.read_text())["answers"]
    first = rows[0]["id"]
    changed = {
        "is no answers file": {"format": "something"},
        "answers page 'x', the key is of": {"page": "x"},
        "does not say who rated": {"rater": " "},
        "holds no scores": {"answers": []},
        "answer 1 is 0, not a whole number": {"answers": [{"id": first, "score": 0}]},
        "answer 1 is 6, not a whole number": {"answers": [{"id": first, "score": 6}]},
        "answer 1 is 4.0, not a whole": {"answers": [{"id": first, "score": 4.0}]},
        "answer 1 is True, not a whole": {"answers": [{"id": first, "score": True}]},
        "answer 1 is 'yyyyyyyyyyyy...yyyyyyyyyyyyy', not": {
            "answers": [{"id": first, "score": "y" * 9999}]
        },
        "answer 1 is None, not a whole": {"answers": [{"id": first}]},
        "answer 2 rates picture": {"answers": [rows[0], rows[0]]},
        "picture 'zz', which the page lacks": {"answers": [{"id": "zz", "score": 3}]},
        "answer 1 is to picture None": {"answers": [3]},
        "rater 'ANN' has answered in": {"rater": "ANN "},
    }
    files = [answer(f"bad{i}", opinion, **change) for i, change in enumerate(changed.values())]
    for name, content, line in (
        ("text", b"no json", "is no JSON"),
        ("bytes", b"\xff\xfe\x00", "is no JSON"),
        ("deep", b"[" * 100_000, "is no JSON"),
        ("list", b"[]", "is no answers file"),
    ):
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
        changed[f"{name}: {line}"] = {}
    files.append(tmp_path / "missing")
    changed["missing: cannot be read"] = {}
    assert call("score", good, *files, "--key", page.with_suffix(".key.json")) == 1
    printed = capsys.readouterr()
    assert "1 rater, 4 ratings" in printed.out
    lines = printed.err.splitlines()
    assert len(lines) == len(files)
    for line, file, said in zip(lines, files, changed, strict=True):
        assert line.startswith("error: ") and str(file) in line and said in line


def test_names_that_are_no_unicode(page, tmp_path):
    """File names are bytes; those of old archives are no UTF-8."""
    os.rename(tmp_path / "net" / "a.png", os.fsencode(tmp_path / "net") + b"/\xe4.png")
    out = tmp_path / "new.html"
    assert call("make", tmp_path / "net", "-o", out) == 0
    stimuli = json.loads(out.with_suffix(".key.json").read_text())["stimuli"]
    assert {s["image"] for s in stimuli.values()} == {os.fsdecode(b"\xe4"), "b"}


def test_unfinished_answers_count(page, answer, capsys):
    rows = json.loads(answer("ann", {"net": 3, "original": 5}).read_text())["answers"]
    file = answer("ann", {"net": 3, "original": 5}, answers=rows[:3])
    assert call("score", file, "--key", page.with_suffix(".key.json")) == 0
    printed = capsys.readouterr()
    assert printed.err == f"warning: {file}: 3 of 4 pictures rated\n"
    assert "1 rater, 3 ratings" in printed.out


def test_refusals(page, answer, tmp_path, capsys):
    def fails(*arguments):
        assert call(*arguments) == 2
        return capsys.readouterr().err.splitlines()[-1]

    key = page.with_suffix(".key.json")
    good = answer("ann", {"net": 3, "original": 5})
    assert "exists" in fails("make", tmp_path / "net", "-o", page)
    out = tmp_path / "new.html"
    assert "no such folder" in fails("make", tmp_path / "none", "-o", out)
    assert "1 to 16, got 0" in fails("make", tmp_path / "net", "-o", out, "--scale", 0)
    training = fails("make", tmp_path / "net", "-o", out, "--training", tmp_path / "none")
    assert "none: no such folder" in training
    too_small = fails(
        "make", tmp_path / "net", "-o", out, "--training", tmp_path / "HR", "--scale", 9
    )
    assert "a.png: is smaller than the scale, 9" in too_small
    assert not out.exists() and not out.with_suffix(".key.json").exists()
    assert "is no key of `jaxsr mos make`" in fails("score", good, "--key", good)
    assert "none of 1 file(s)" in fails("score", tmp_path / "no.json", "--key", key)
    assert "no answers (.json) here" in fails("score", key, "--key", key)
    assert "unknown image extension" in fails("score", good, "--key", key, "-o", "plot.doc")
    kept = key.read_bytes(), good.read_bytes()
    for file in (key, good):
        assert f"--json: {file} is an input" in fails("score", good, "--key", key, "--json", file)
    assert kept == (key.read_bytes(), good.read_bytes())
    inside = tmp_path / "net" / "a.png" / "rate.html"
    assert "cannot be written" in fails("make", tmp_path / "net", "-o", inside)
    nowhere = tmp_path / "none" / "x.json"
    assert "cannot write" in fails("score", good, "--key", key, "--json", nowhere)
    value = json.loads(key.read_text())
    for broken in ({"stimuli": {}}, {"page": 3}, {"stimuli": {"a": {}}}, {"stimuli": {"a": 1}}):
        bad = tmp_path / "bad.key.json"
        bad.write_text(json.dumps(value | broken))
        assert str(bad) in fails("score", good, "--key", bad)
