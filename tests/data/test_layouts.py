"""Names and folders as each toolbox has them; every tree is one that a public archive has."""

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import open_source
from jaxsr.data.layouts import base_name, hr_files, pair_folders
from jaxsr.data.pairs import open_pairs
from jaxsr.errors import InputError


def save(path, value, side):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(path)


@pytest.mark.parametrize(
    ("stem", "scale", "base"),
    [
        ("babyx2", 2, "baby"),
        ("baby_x4", 4, "baby"),
        ("baby_HR_x2", 2, "baby"),
        ("baby_LRBI_x2", 2, "baby"),
        ("baby_LRBD_x3", 3, "baby"),
        ("img_001_SRF_2_HR", 2, "img_001"),
        ("img_001_SRF_4_LR", 4, "img_001"),
        ("0801x4m", 4, "0801"),
        ("0801x4d", 4, "0801"),
        ("0801x4w", 4, "0801"),
        ("0001x4w3", 4, "0001"),
        ("000001x2", 2, "000001"),
        ("0001x8", 8, "0001"),
        ("0001_s001", 4, "0001_s001"),
        ("babyx3BD", 3, "baby"),
        ("matrix4", 2, "matrix4"),
        ("x2", 2, "x2"),
    ],
)
def test_what_hr_and_lr_names_share(stem, scale, base):
    assert base_name(stem, scale) == base


# The path to give, and HR and LR of the image "baby" at x4.
LAYOUTS = {
    "jaxsr": ("Set5", "Set5/HR/{}.png", "Set5/LR_x4/{}.png"),
    "edsr": ("Set5", "Set5/HR/{}.png", "Set5/LR_bicubic/X4/{}x4.png"),
    "basicsr": ("Set5", "Set5/GTmod12/{}.png", "Set5/LRbicx4/{}.png"),
    "mod4": ("Set5", "Set5/GTmod4/{}.png", "Set5/LRbicx4/{}.png"),
    "rcan": ("HR/Set5", "HR/Set5/x4/{}_HR_x4.png", "LR/LRBI/Set5/x4/{}_LRBI_x4.png"),
    "selfexsr": ("Set5", "Set5/image_SRF_4/{}_SRF_4_HR.png", "Set5/image_SRF_4/{}_SRF_4_LR.png"),
    "imdn": ("Set5", "Set5/{}.bmp", "Set5_LR/x4/{}x4.bmp"),
    "dbpn": ("Set5", "Set5/{}.png", "Set5_LR_x4/{}_x4.png"),
    "beside": ("Set5", "Set5/{}.png", "Set5/LR_x4/{}.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pairs_in_every_layout(tmp_path, layout):
    path, hr, lr = LAYOUTS[layout]
    for value, name in enumerate(("baby", "bird")):
        save(tmp_path / hr.format(name), value, 8)
        save(tmp_path / lr.format(name), 100 + value, 2)
    pairs = open_pairs(tmp_path / path, scale=4)
    assert pairs.hr_of == (0, 1)
    assert [image[0, 0, 0] for image in pairs.hr] == [0, 1]
    assert [image[0, 0, 0] for image in pairs.lr] == [100, 101]
    assert [image.shape for image in pairs.hr] == [(8, 8, 3)] * 2
    if layout not in ("rcan", "mod4"):  # there HR depends on the scale
        assert open_source(tmp_path / path).names == pairs.hr.names


def test_hr_before_other_folders_and_originals_before_crops(tmp_path):
    save(tmp_path / "image_SRF_4" / "a_SRF_4_HR.png", 0, 4)
    save(tmp_path / "image_SRF_4" / "a_SRF_4_LR.png", 0, 1)
    assert [file.name for file in hr_files(tmp_path)] == ["a_SRF_4_HR.png"]
    for folder in ("GTmod12", "original", ".", "HR"):
        save(tmp_path / folder / "a.png", 0, 4)
        assert hr_files(tmp_path) == [tmp_path / folder / "a.png"]


def test_selfexsr_has_no_x2(tmp_path):
    """Of Urban100, its x2 HR is half the image and its x2 LR the quarter."""
    for n in (2, 4):
        save(tmp_path / f"image_SRF_{n}" / f"a_SRF_{n}_HR.png", n, 8)
        save(tmp_path / f"image_SRF_{n}" / f"a_SRF_{n}_LR.png", n, 8 // n)
    assert pair_folders(tmp_path, 2) is None
    assert pair_folders(tmp_path, 4) is not None
    assert [file.name for file in hr_files(tmp_path)] == ["a_SRF_4_HR.png"]


def test_a_folder_without_images(tmp_path):
    (tmp_path / "HR").mkdir()
    with pytest.raises(InputError, match="HR: no images in this folder"):
        hr_files(tmp_path)
