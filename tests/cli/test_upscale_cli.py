"""The command in-process: plans, exit statuses and what is printed where."""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.run import run
from jaxsr.cli.upscale import add_parser
from jaxsr.image.io import Picture, read_image, write_image
from jaxsr.models import create_model


def call(*arguments):
    def main(argv):
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(argv)
        return args.func(args)

    return run(main, ["upscale", *map(str, arguments)])


def picture(value=100, height=4, width=6):
    return Picture(np.full((height, width, 3), value, np.uint8))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_image(folder / "a.png", picture(10))
    write_image(folder / "b.jpg", picture(200))
    return folder


def test_one_file_to_a_file(images, tmp_path, capsys):
    out = tmp_path / "new" / "big.tif"
    assert call(images / "a.png", "-o", out, "--model", "nearest", "--scale", 2) == 0
    np.testing.assert_array_equal(read_image(out).pixels, picture(10, 8, 12).pixels)
    printed = capsys.readouterr()
    assert printed.out == f"{images / 'a.png'} 6x4 -> {out} 12x8\n"
    assert printed.err == ""


def test_files_and_folders_to_a_folder(images, tmp_path, capsys):
    write_image(tmp_path / "c.png", picture(30))
    out = tmp_path / "x" / "out"
    assert call(images, tmp_path / "c.png", "-o", out, "--model", "bicubic") == 0
    sizes = {p.name: Image.open(p).size for p in out.iterdir()}
    assert sizes == {"a.png": (24, 16), "b.jpg": (24, 16), "c.png": (24, 16)}
    assert capsys.readouterr().out.count("6x4 -> ") == 3


def test_some_and_all_inputs_fail(images, tmp_path, capsys):
    (images / "a.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    assert call(images, tmp_path / "empty", "-o", out, "--model", "nearest") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["error", str(tmp_path / "empty")],
        ["error", str(images / "a.png")],
    ]
    assert [p.name for p in out.iterdir()] == ["b.jpg"]
    missing = tmp_path / "missing.png"
    assert call(missing, tmp_path / "empty", "-o", out, "--model", "nearest") == 2


def test_a_target_that_cannot_hold_the_picture(tmp_path, capsys):
    write_image(tmp_path / "a.png", Picture(np.zeros((4, 4, 3), np.uint16)))
    assert call(tmp_path / "a.png", "-o", tmp_path / "a.jpg", "--model", "nearest") == 2
    assert "16 bits" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def refused(capsys, *arguments):
    """Status 2, nothing on stdout, one line on stderr, which is returned."""
    assert call(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err


def test_plans_that_lose_pictures_are_refused(images, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    write_image(other / "a.png", picture())
    out, nearest = tmp_path / "out", ("--model", "nearest")
    message = refused(capsys, images, other, "-o", out, *nearest)
    assert str(images / "a.png") in message and str(other / "a.png") in message
    assert "overwrite" in refused(capsys, images, "-o", images, *nearest)
    same = images / ".." / "in" / "a.png"
    assert "overwrite" in refused(capsys, images / "a.png", "-o", same, *nearest)
    assert "folder" in refused(capsys, images, "-o", tmp_path / "out.png", *nearest)
    assert not out.exists()


def test_an_output_with_an_unknown_suffix_is_a_file_for_one_input(images, tmp_path, capsys):
    one, nearest = images / "a.png", ("--model", "nearest")
    message = refused(capsys, one, "-o", tmp_path / "big.gif", *nearest)
    assert "big.gif: unknown image extension '.gif'" in message
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    (tmp_path / "v1.0").mkdir()
    for out in (f"{tmp_path}/v1.0", f"{tmp_path}/v1.1/"):  # one exists, one says that it is one
        assert call(one, "-o", out, *nearest) == 0
    assert call(images, "-o", tmp_path / "v1.2", *nearest) == 0
    written = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("v*/*"))
    assert written == ["v1.0/a.png", "v1.1/a.png", "v1.2/a.png", "v1.2/b.jpg"]


def test_compiled_programs_are_forgotten_after_32_shapes(tmp_path, monkeypatch):
    cleared = []
    monkeypatch.setattr("jax.clear_caches", lambda: cleared.append(len(enlarged)))
    enlarged = []
    monkeypatch.setattr(
        "jaxsr.inference.upscale_picture", lambda x, *_: enlarged.append(x.pixels.shape) or x
    )
    (tmp_path / "in").mkdir()
    for i in range(2 * 65):  # each shape twice, one after the other
        write_image(tmp_path / "in" / f"{i}.png", picture(0, 1 + i // 2, 1))
    assert call(tmp_path / "in", "-o", tmp_path / "out", "--model", "nearest") == 0
    assert len(enlarged) == 130 and cleared == [64, 128]
    cleared.clear()
    assert call(tmp_path / "in" / "0.png", "-o", tmp_path / "b.png", "--model", "nearest") == 0
    assert not cleared


def test_an_output_folder_that_cannot_be_made(images, tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    message = refused(capsys, images / "a.png", "-o", tmp_path / "taken", "--model", "nearest")
    assert "cannot make this folder" in message


def test_models_that_cannot_be_used(images, tmp_path, capsys):
    base = (images / "a.png", "-o", tmp_path / "out.png")
    assert "give --model NAME, --weights FILE or --checkpoint DIR" in refused(capsys, *base)
    message = refused(capsys, *base, "--model", "espcn")
    assert (
        message
        == "error: espcn has no weights of its own; give --weights FILE or --checkpoint DIR\n"
    )
    assert "did you mean 'bicubic'" in refused(capsys, *base, "--model", "bicubik")
    assert "no scale 0" in refused(capsys, *base, "--model", "bicubic", "--scale", 0)


def test_checkpoint(images, tmp_path, capsys, monkeypatch):
    model = create_model("espcn", scale=2)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 4, 4, 1)))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    spec = {"config": {"model": "espcn", "scale": 2}}
    monkeypatch.setattr(
        "jaxsr.training.restore.load_model", lambda folder, **_: (model, variables, spec)
    )
    base = (images / "a.png", "-o", tmp_path / "out.png", "--checkpoint", tmp_path)
    assert "--model edsr, but" in refused(capsys, *base, "--model", "edsr")
    assert "--scale 3, but" in refused(capsys, *base, "--scale", 3)
    assert call(*base, "--model", "espcn", "--scale", 2) == 0
    assert Image.open(tmp_path / "out.png").size == (12, 8)
