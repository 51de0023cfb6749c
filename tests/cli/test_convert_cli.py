"""`jaxsr convert`, and `upscale` and `eval.py` with a file of weights."""

import numpy as np
import pytest

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.interop.files import read_state, write_state
from jaxsr.interop.layouts.edsr import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.models import create_model


@pytest.fixture
def weights(tmp_path, fake_params):
    """A small EDSR x2 as EDSR-PyTorch saves it."""
    model = create_model("edsr", scale=2, blocks=1, features=4, res_scale=1.0)
    state = to_file(LAYOUTS[0], model, fake_params(model, np.zeros((1, 4, 4, 3), np.float32)))
    write_state(tmp_path / "edsr.pth", state, {})
    return tmp_path / "edsr.pth"


def test_there_and_back(tmp_path, weights, capsys):
    own, back = tmp_path / "own.safetensors", tmp_path / "back.pth"
    assert main(["convert", str(weights), str(own)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    # 3 -> 4 channels, three layers 4 -> 4, one 4 -> 16 before the shuffle, 4 -> 3, with biases
    assert first == f"edsr x2, {112 + 3 * 148 + 592 + 111:,} parameters"
    assert second == f"{weights} (EDSR-PyTorch) -> {own} (jaxsr)"
    assert main(["convert", str(own), str(back)]) == 0
    old, new = read_state(weights)[0], read_state(back)[0]
    assert list(new) == list(old)
    for key, value in old.items():
        np.testing.assert_array_equal(new[key], value)


def test_upscale_with_weights(tmp_path, weights):
    from jaxsr.image.io import Picture, read_image, write_image

    picture = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    write_image(tmp_path / "in.png", Picture(picture, None))
    out = tmp_path / "out.png"
    assert (
        main(["upscale", str(tmp_path / "in.png"), "-o", str(out), "--weights", str(weights)]) == 0
    )
    assert read_image(out).pixels.shape == (12, 14, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.pth", "o.npz"], "error: none.pth: "),
        (["edsr.pth", "o.txt"], "error: o.txt: "),
        (["edsr.pth", "./edsr.pth"], "error: edsr.pth: would overwrite the input"),
        (["edsr.pth", "o.npz", "--scale=4"], "error: --scale 4, but edsr.pth holds edsr x2"),
        (["edsr.pth", "o.npz", "--model=espcn"], "error: --model espcn, but edsr.pth holds edsr"),
        (["edsr.pth", "o.pth", "--names=KAIR"], "error: --names: no layout 'KAIR' of edsr"),
    ],
)
def test_bad_input_is_one_line(tmp_path, weights, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run(main, ["convert", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(message) and error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
