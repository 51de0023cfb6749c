"""`jaxsr niqe-fit`: a folder becomes a model, or one line says why not."""

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.metrics.niqe import fit_niqe_model, load_niqe_model


def call(*arguments) -> int:
    return run(main, ["niqe-fit", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    for name in ("a", "b"):
        pixels = np.random.default_rng(3).integers(0, 256, (5 * 96, 4 * 96, 3), np.uint8)
        Image.fromarray(pixels).save(path / f"{name}.png")
    return path


def test_a_folder(folder, tmp_path, capsys):
    out = tmp_path / "own.npz"
    assert call(folder, "-o", out) == 0
    assert capsys.readouterr().out == f"{out}: fitted to 2 images of photos\n"
    model = load_niqe_model(out)
    assert model.name == "fitted to 2 images of photos"
    want = fit_niqe_model((np.asarray(Image.open(folder / f"{x}.png")) for x in "ab"), "")
    np.testing.assert_array_equal(model.covariance, want.covariance)


def test_refusals(folder, tmp_path, capsys):
    def refused(*arguments) -> str:
        assert call(*arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.startswith("error: ")
        return printed.err

    out = tmp_path / "own.npz"
    assert "own.mat: name a new .npz" in refused(folder, "-o", tmp_path / "own.mat")
    assert "name a new .npz" in refused(folder, "-o", tmp_path / "none" / "own.npz")
    assert "none: no such folder" in refused(tmp_path / "none", "-o", out)
    (folder / "b.png").unlink()
    assert "20 sharp blocks" in refused(folder, "-o", out)
    Image.new("RGB", (96, 95)).save(folder / "c.png")
    assert "c.png: 96x95 pixels are less than a block" in refused(folder, "-o", out)
    (folder / "c.png").write_text("text")
    assert "c.png" in refused(folder, "-o", out)
    assert not out.exists()
