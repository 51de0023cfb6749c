"""Pairs of files and of datasets, against the arrays they were written from."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import build_cache, open_source
from jaxsr.data.datasets import SETS
from jaxsr.data.pairs import open_pairs
from jaxsr.errors import InputError


def noise(h, w, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def div2k(tmp_path, monkeypatch):
    """Two training and one validation image; HR of 9x10, which is not a multiple of 4."""
    splits = {"train": ("0001", "0002"), "validation": ("0801",)}
    monkeypatch.setitem(SETS, "div2k", replace(SETS["div2k"], splits=splits, check=lambda s: None))
    root = tmp_path / "DIV2K"
    for part, numbers in (("train", (1, 2)), ("valid", (801,))):
        for i in numbers:
            save(root / f"DIV2K_{part}_HR" / f"{i:04d}.png", noise(9, 10, i))
            save(root / f"DIV2K_{part}_LR_unknown" / "X4" / f"{i:04d}x4.png", noise(2, 2, 1000 + i))
            save(root / f"DIV2K_{part}_LR_mild" / f"{i:04d}x4m.png", noise(2, 2, 2000 + i))
            for j in range(1, 5) if part == "train" else ("",):
                wild = noise(2, 2, 3000 + 10 * i + (j or 0))
                save(root / f"DIV2K_{part}_LR_wild" / f"{i:04d}x4w{j}.png", wild)
    return root


def test_a_track_of_div2k(div2k):
    pairs = open_pairs(f"div2k/unknown_x4:{div2k}", scale=4)
    assert pairs.hr.names == ("0001.png", "0002.png")
    assert pairs.lr.names == ("0001x4.png", "0002x4.png")
    assert pairs.hr_of == (0, 1)
    assert pairs.hr.counts == pairs.lr.counts == (2,)
    for i in range(2):
        np.testing.assert_array_equal(pairs.hr[i], noise(9, 10, i + 1)[:8, :8])
        np.testing.assert_array_equal(pairs.lr[i], noise(2, 2, 1001 + i))
    held_out = open_pairs(f"div2k/mild_x4:{div2k}", scale=4, split="validation")
    np.testing.assert_array_equal(held_out.lr[0], noise(2, 2, 2801))


def test_wild_has_four_lr_of_each_hr(div2k):
    pairs = open_pairs([f"div2k/wild_x4:{div2k}", f"div2k/unknown_x4:{div2k}"], scale=4)
    assert pairs.hr_of == (0, 0, 0, 0, 1, 1, 1, 1, 2, 3)
    assert (pairs.hr.counts, pairs.lr.counts) == ((2, 2), (8, 2))
    assert pairs.lr.names[4] == "DIV2K_wild_x4/0002x4w1.png"
    np.testing.assert_array_equal(pairs.lr[4], noise(2, 2, 3021))
    np.testing.assert_array_equal(pairs.hr[1], noise(9, 10, 2)[:8, :8])


def test_two_folders(tmp_path):
    """HRDIR+LRDIR, with a plus in a name as well."""
    hr, lr = tmp_path / "a+b" / "sharp", tmp_path / "camera"
    save(hr / "x.png", noise(6, 6))
    save(lr / "x.png", noise(3, 3))
    pairs = open_pairs(f"{hr}+{lr}", scale=2)
    np.testing.assert_array_equal(pairs.lr[0], noise(3, 3))
    # A folder of that name is meant first.
    save(tmp_path / "hr+lr" / "HR" / "y.png", noise(6, 6))
    save(tmp_path / "hr+lr" / "LR_x2" / "y.png", noise(3, 3))
    for name in ("hr", "lr"):
        save(tmp_path / name / "z.png", noise(3, 3))
    assert open_pairs(tmp_path / "hr+lr", scale=2).hr.names == ("y.png",)


def test_the_fingerprint_and_the_cache(div2k):
    first = open_pairs(f"div2k/unknown_x4:{div2k}", scale=4)
    assert open_pairs(f"div2k/unknown_x4:{div2k}", scale=4).hr.fingerprint == first.hr.fingerprint
    # Cut and whole images are not the same.
    assert open_source(f"div2k:{div2k}").fingerprint != first.hr.fingerprint
    cache = build_cache(first.hr, progress=False)
    np.testing.assert_array_equal(cache[0], noise(9, 10, 1)[:8, :8])


def test_the_reference_pairs(reference):
    for scale in (2, 3, 4):
        pairs = open_pairs(reference / "data" / "Set14", scale=scale)
        assert len(pairs.hr) == len(pairs.lr) == 14
        for hr, lr in zip(pairs.hr, pairs.lr, strict=True):
            assert hr.shape == (lr.shape[0] * scale, lr.shape[1] * scale, 3)


def test_refusals(div2k, tmp_path):
    with pytest.raises(InputError, match="no training pairs"):
        open_pairs([], scale=2)
    with pytest.raises(InputError, match=r"unknown_x4:.*: is LR of x4, but x2 is asked for"):
        open_pairs(f"div2k/unknown_x4:{div2k}", scale=2)
    for path in (f"div2k:{div2k}", div2k / "DIV2K_train_HR"):
        with pytest.raises(InputError, match=r"no LR images for x4; give NAME/TRACK:PATH, HRDIR"):
            open_pairs(path, scale=4)
    hr, lr = div2k / "DIV2K_train_HR", div2k / "DIV2K_train_LR_unknown" / "X4"
    for i in range(7):
        save(tmp_path / "a" / "HR" / f"{i}.png", noise(9, 10))
        save(tmp_path / "a" / "LR_x2" / f"{i}.png", noise(4, 5 - (i > 0)))
    with pytest.raises(InputError) as error:
        open_pairs(tmp_path / "a", scale=2)
    shown = ", ".join(f"{i}.png 4x4 of {i}.png 10x9" for i in range(1, 6))
    assert str(error.value) == (
        f"{tmp_path / 'a'}: 6 LR images are not HR over 2: {shown}, and 1 more; "
        "give the HR images they were made from, or another scale"
    )
    for i in range(3, 10):
        shutil.copy(hr / "0001.png", hr / f"000{i}.png")
    with pytest.raises(InputError, match=r"X4: no LR of 7 of 9 .*: 0003.png, .*0007.png, and 2 mo"):
        open_pairs(f"{hr}+{lr}", scale=4)
    for i in range(2, 10):
        (hr / f"000{i}.png").unlink()
    with pytest.raises(InputError, match=r"X4: 1 LR images have no HR image: 0002x4\.png; remove"):
        open_pairs(f"{hr}+{lr}", scale=4)
    with pytest.raises(InputError, match=r"lacks 1 of 2 images: 0002; get it again from http"):
        open_pairs(f"div2k/unknown_x4:{div2k}", scale=4)
