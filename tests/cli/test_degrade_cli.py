"""The command in-process: files, keys, exit statuses, refusals and the sheet."""

import argparse
import json

import jax
import numpy as np
import pytest

from jaxsr.cli.degrade import add_parser
from jaxsr.cli.run import run
from jaxsr.degradations import PRESETS, bicubic, get_degradation
from jaxsr.image.io import Picture, read_image, write_image

NOISY = [{"op": "downsample"}, {"op": "noise", "sigma": [5, 20]}]


def call(*arguments):
    def main(argv):
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(argv)
        return args.func(args)

    return run(main, ["degrade", *map(str, arguments)])


def picture(channels, height=9, width=14):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return Picture(pixels)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_image(folder / "a.png", picture(3))
    write_image(folder / "b.tif", picture(1))
    return folder


def test_a_folder(images, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert call(images, "-o", out) == 0
    assert {p.name for p in out.iterdir()} == {"a.png", "b.png"}
    for name, channels in (("a", 3), ("b", 1)):
        want = bicubic(4)(jax.random.key(0), picture(channels).pixels[:8, :12])
        np.testing.assert_array_equal(read_image(out / f"{name}.png").pixels, want)
    printed = capsys.readouterr()
    assert f"{images / 'a.png'} 14x9 -> {out / 'a.png'} 3x2\n" in printed.out
    assert printed.err == ""


def test_an_image_has_its_own_key(images, tmp_path):
    """The same alone, in a folder and under another folder; another by name and by seed."""
    spec = tmp_path / "noisy.json"
    spec.write_text(json.dumps(NOISY))
    options = ("--degradation", spec, "--scale", 2)
    write_image(images / "c.png", picture(3))
    assert call(images, "-o", tmp_path / "all", *options) == 0
    assert call(images / "a.png", "-o", tmp_path / "alone.png", *options) == 0
    assert call(images / "a.png", "-o", tmp_path / "seed.png", *options, "--seed", 1) == 0
    first, alone, other, seed = (
        read_image(tmp_path / name).pixels
        for name in ("all/a.png", "alone.png", "all/c.png", "seed.png")
    )
    np.testing.assert_array_equal(first, alone)
    assert (first != other).any() and (first != seed).any()


def test_the_sheet(images, tmp_path, capsys):
    spec = tmp_path / "noisy.json"
    spec.write_text(json.dumps(NOISY))
    out = tmp_path / "sheet.png"
    assert call(images / "a.png", "-o", out, "--degradation", spec, "--preview") == 0
    sheet = read_image(out).pixels
    assert sheet.shape[2] == 3 and sheet.shape[1] == 4 * (2 * 192 + 6)  # room for the text
    enlarged = sheet[3 : 3 + 8 * 32 : 32, 3 : 3 + 12 * 32 : 32]
    np.testing.assert_array_equal(enlarged, picture(3).pixels[:8, :12])
    assert f"-> {out} 1560x" in capsys.readouterr().out
    assert call(images, "-o", out, "--preview") == 2
    assert "--preview shows one image; give one file" in capsys.readouterr().err


def test_what_was_drawn_is_told():
    lines = get_degradation(NOISY, 2).describe(jax.random.key(0))
    assert lines[0] == "downsample bicubic"
    kind, _, sigma = lines[1].partition("gaussian ")
    assert kind == "noise " and 5 <= float(sigma) <= 20


def test_refusals(images, tmp_path, capsys):
    def fails(status, *arguments):
        assert call(*arguments) == status
        (line,) = capsys.readouterr().err.splitlines()
        return line

    out = tmp_path / "out"
    assert "did you mean 'bicubic'?" in fails(2, images, "-o", out, "--degradation", "bicubi")
    for seed in (-1, 2**32):
        assert "choose one from 0 to 4294967295" in fails(2, images, "-o", out, "--seed", seed)
    assert "1 to 16, got 0" in fails(2, images, "-o", out, "--scale", 0)
    assert "cannot be read" in fails(2, images, "-o", out, "--degradation", "none.json")
    assert "would overwrite an input" in fails(2, images, "-o", images)
    assert "written as .png" in fails(2, images / "a.png", "-o", tmp_path / "a.jpg")
    assert "less than one of LR at scale 10" in fails(2, images / "a.png", "-o", out, "--scale", 10)
    (images / "a.png").write_text("no picture")
    assert str(images / "a.png") in fails(1, images, "-o", out)
    assert not out.joinpath("a.png").exists()


def test_list(capsys):
    with pytest.raises(SystemExit) as stop:
        call("--list")
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()] == list(PRESETS)
