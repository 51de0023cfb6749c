"""Which files make the columns of a comparison, and what is refused."""

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.image.io import Picture, write_image
from jaxsr.report.columns import find_columns

PIXEL = Picture(np.zeros((1, 1, 3), np.uint8))


@pytest.fixture
def at(tmp_path):
    """`at("a/b.png", ...)`: makes these files, returns the path of the first's folder as text."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, PIXEL)
        return str((tmp_path / names[0]).parent)

    return make


def found(inputs, hr=None, lr=None, scale=4):
    names, columns = find_columns(inputs, hr, lr, scale)
    return names, [(c.label, c.part, [file.name for file in c.files]) for c in columns]


def test_folders_match_by_name(at):
    """LR first, HR last, whatever the order they are given in; HR lies in HR/ of the set."""
    hr = at("set/HR/baby.png", "set/HR/bird.tif")
    lr = at("set/LR_x4/babyx4.png", "set/LR_x4/birdx4.png")
    one = at("one/bird.png", "one/baby.png")
    want = [
        ("LR", "LR", ["babyx4.png", "birdx4.png"]),
        ("mine", "result", ["baby.png", "bird.png"]),
        ("HR", "HR", ["baby.png", "bird.tif"]),
    ]
    names, columns = found([f"mine={one}"], hr=hr.removesuffix("/HR"), lr=lr)
    assert names == ["baby.png", "bird.tif"] and columns == want
    _, columns = found([hr, f"mine={one}", lr])
    assert columns == [("LR_x4", *want[0][1:]), *want[1:]]


def test_hr_and_lr_in_one_folder(at):
    both = at("x4/img_1_SRF_4_HR.png", "x4/img_1_SRF_4_LR.png")
    names, columns = found([], hr=both, lr=both)
    assert names == ["img_1_SRF_4_HR.png"]
    assert columns == [
        ("LR", "LR", ["img_1_SRF_4_LR.png"]),
        ("HR", "HR", ["img_1_SRF_4_HR.png"]),
    ]


def test_files_are_one_image(at):
    folder = at("a.png", "b=c.png", "HR.png")
    inputs = [f"{folder}/a.png", f"{folder}/b=c.png", f"{folder}/HR.png"]
    names, columns = found(inputs)
    assert names == ["HR.png"]
    assert [column[:2] for column in columns] == [
        ("a", "result"),
        ("b=c", "result"),
        ("HR", "HR"),
    ]


def test_what_is_left_out_is_told(at):
    a, b = at("a/1.png", "a/2.png"), at("b/1.png")
    told = []
    names, _ = find_columns([a, b], None, None, 4, told.append)
    assert names == ["1.png"] and "1 picture(s) left out" in told[0]


def test_refusals(at, tmp_path):
    def fails(inputs, hr=None, lr=None):
        with pytest.raises(InputError) as error:
            find_columns(inputs, hr, lr, 4)
        return str(error.value)

    a, b = at("a/1.png", "a/2.png"), at("b/1.png")
    assert f"{b}: no picture of 2.png, which {a} has" in fails([b], hr=a)
    assert "needs two columns" in fails([a])
    assert "no such file or folder" in fails([a, "there"])
    assert f"{a} and {a} are both called a; give LABEL=PATH" in fails([a, a])
    assert "are both HR; give one" in fails([f"HR={a}"], hr=b)
    assert "give only files, or only folders" in fails([a, f"{b}/1.png"])
    assert "1.png and 1.tif are both of 1.png" in fails([at("c/1.tif", "c/1.png")], hr=b)
    assert "several images are called 1;" in fails([b], hr=at("c/1.tif", "c/1.png"))
    (tmp_path / "empty").mkdir()
    assert "no images in this folder" in fails([a, str(tmp_path / "empty")])
