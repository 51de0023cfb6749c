"""Known sets: trees of the right number of tiny files, and the reference's real ones."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import datasets, locate, open_source
from jaxsr.data.archives import DIV2K
from jaxsr.data.datasets import SETS
from jaxsr.errors import InputError
from jaxsr.image.io import image_size

COUNTS = {
    "div2k": (800, 100),
    "flickr2k": (2650,),
    "df2k": (3450,),
    "bsds500": (200, 100, 200),
    **{"t91": (91,), "291": (291,), "bsds200": (200,), "general100": (100,), "wed": (4744,)},
    **{"set5": (5,), "set14": (14,), "bsd100": (100,), "b100": (100,)},
    **{"urban100": (100,), "manga109": (109,)},
}


def save(path, h, w):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((h, w, 3), np.uint8)).save(path)


def copies(file, *names):
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, name)


@pytest.fixture(scope="module")
def div2k(tmp_path_factory):
    """All of HR and of LR unknown x4, as the archives unpack, the files being 2040x12 and black."""
    root = tmp_path_factory.mktemp("data") / "DIV2K"
    save(root / "hr.png", 12, 2040)
    save(root / "lr.png", 3, 510)
    for part, numbers in (("train", range(1, 801)), ("valid", range(801, 901))):
        hr, lr = root / f"DIV2K_{part}_HR", root / f"DIV2K_{part}_LR_unknown" / "X4"
        copies(root / "hr.png", *(hr / f"{i:04d}.png" for i in numbers))
        copies(root / "lr.png", *(lr / f"{i:04d}x4.png" for i in numbers))
    return root


@pytest.fixture
def small(monkeypatch):
    """DIV2K as if it had three training and two validation images."""
    splits = {"train": ("0001", "0002", "0003"), "validation": ("0801", "0802")}
    monkeypatch.setitem(SETS, "div2k", replace(SETS["div2k"], splits=splits, check=lambda s: None))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("DIV2K", "DIV2K"),
        (".", "data"),
        ("set5:anywhere", "Set5"),
        ("div2k/unknown_x4:anywhere", "DIV2K_unknown_x4"),
        ("sharp+blurred", "sharp"),
        ("photos/HR+photos/LR", "photos"),
    ],
)
def test_what_sets_are_called(tmp_path, monkeypatch, path, name):
    data = tmp_path / "data"
    for folder in ("DIV2K", "sharp", "blurred", "photos/HR", "photos/LR"):
        (data / folder).mkdir(parents=True)
    monkeypatch.chdir(data)
    assert locate.title(path) == name


def test_two_folders_are_no_hr_images(tmp_path):
    for name in ("HR", "LR"):
        save(tmp_path / name / "a.png", 4, 4)
    with pytest.raises(InputError, match=r"two folders are HR and LR; .*degradation=given"):
        open_source(f"{tmp_path / 'HR'}+{tmp_path / 'LR'}")


def test_counts_are_those_of_the_literature():
    for name, known in SETS.items():
        counts = [n if isinstance(n, int) else len(n) for n in known.splits.values()]
        assert tuple(counts) == COUNTS[name], name
        assert known.home.startswith("http")


def test_div2k_by_name(div2k):
    train = open_source(f"div2k:{div2k}")
    assert (len(train), train.names[0], train.names[-1]) == (800, "0001.png", "0800.png")
    validation = open_source(f"DIV2K:{div2k}", split="validation")
    assert (len(validation), validation.names[0]) == (100, "0801.png")
    assert train[0].shape == (12, 2040, 3)
    lr = open_source(f"div2k/unknown_x4:{div2k}")
    assert (len(lr), lr.names[0], lr[0].shape) == (800, "0001x4.png", (3, 510, 3))
    both = open_source([f"div2k:{div2k}", div2k / "DIV2K_valid_HR"])
    assert both.counts == (800, 100)
    assert (both.names[0], both.names[-1]) == ("DIV2K/0001.png", "DIV2K_valid_HR/0900.png")


def test_the_root_may_be_the_folder_of_images_and_validation_merged(tmp_path, small):
    save(tmp_path / "0001.png", 1, 1)
    folder = tmp_path / "DIV2K_train_HR"
    copies(tmp_path / "0001.png", *(folder / f"{i:04d}.png" for i in (1, 2, 3, 801, 802)))
    for root in (tmp_path, folder):
        assert open_source(f"div2k:{root}").names == ("0001.png", "0002.png", "0003.png")
    assert open_source(f"div2k:{tmp_path}", split="validation").names == ("0801.png", "0802.png")


def test_wild_has_four_lr_of_each(tmp_path, small):
    folder = tmp_path / "DIV2K_train_LR_wild"
    save(tmp_path / "lr.png", 1, 1)
    names = [folder / f"{i:04d}x4w{j}.png" for i in (1, 2, 3) for j in (1, 2, 3, 4)]
    copies(tmp_path / "lr.png", *names)
    assert len(open_source(f"div2k/wild_x4:{tmp_path}")) == 12
    names[-1].unlink()
    with pytest.raises(InputError, match=r"wild: DIV2K train lacks LR of 1 of 3 images: 0003; "):
        open_source(f"div2k/wild_x4:{tmp_path}")


def test_missing_says_where_to_get_it_and_where_to_put_it(tmp_path, small, monkeypatch):
    home = "from https://data.vision.ee.ethz.ch/cvl/DIV2K/ and unpack it into "
    with pytest.raises(InputError) as error:
        open_source(f"div2k:{tmp_path}")
    assert str(error.value) == (
        f"{tmp_path}: no DIV2K train images; get DIV2K_train_HR.zip {home}{tmp_path}"
    )
    for track, archive in (
        ("unknown_x2", "DIV2K_valid_LR_unknown_X2.zip"),
        ("bicubic_x8", "DIV2K_valid_LR_x8.zip"),
        ("mild_x4", "DIV2K_valid_LR_mild.zip"),
    ):
        with pytest.raises(InputError, match=f"validation images of {track}; get {archive} {home}"):
            open_source(f"div2k/{track}:{tmp_path}", split="validation")
    archive = tmp_path / "DIV2K_train_HR.zip"
    archive.write_bytes(b"abc")
    with pytest.raises(InputError, match=r"HR\.zip has 3 bytes of 3530603713: download it again"):
        open_source(f"div2k:{tmp_path}")
    monkeypatch.setitem(DIV2K, archive.name, (3, hashlib.sha256(b"abc").hexdigest()))
    with pytest.raises(InputError, match=r"no DIV2K train images; unpack .*DIV2K_train_HR\.zip"):
        open_source(f"div2k:{tmp_path}")
    archive.write_bytes(b"abd")
    with pytest.raises(InputError, match=r"is damaged: download it again"):
        open_source(f"div2k:{tmp_path}")
    with pytest.raises(InputError, match=r"no Set14 images; get Set14 from http.* into .*/x/HR"):
        open_source(f"set14:{tmp_path}/x")
    with pytest.raises(InputError, match=r"no Flickr2K images; get Flickr2K from .*/Flickr2K_HR"):
        open_source(f"flickr2k:{tmp_path}")


def test_incomplete_and_other_versions(tmp_path, small, monkeypatch):
    save(tmp_path / "DIV2K_train_HR" / "0002.png", 1, 1)
    with pytest.raises(InputError, match=r"_HR: DIV2K lacks 2 of 3 images: 0001, 0003; get it"):
        open_source(f"div2k:{tmp_path}")
    save(tmp_path / "a.png", 512, 512)
    with pytest.raises(InputError, match=r"1 images, but Set5 has 5; remove"):
        open_source(f"set5:{tmp_path}")
    monkeypatch.setitem(SETS, "div2k", replace(SETS["div2k"], check=datasets._div2k))
    copies(tmp_path / "a.png", *(tmp_path / "DIV2K_train_HR" / f"000{i}.png" for i in (1, 2, 3)))
    with pytest.raises(InputError, match="first image is 512 pixels long, not 2040"):
        open_source(f"div2k:{tmp_path}")


def test_sizes_tell_wrong_copies():
    full = list(datasets._SET14)
    check = SETS["set14"].check
    assert check(full) is None
    cropped = [(h - h % 2, w - w % 2) for h, w in full]
    assert "a cropped copy: image 5 is 250x360 and the original 250x361 (3 of 14" in str(
        check(cropped)
    )
    assert "another version" in str(check([(2 * h, 2 * w) for h, w in full]))
    urban = SETS["urban100"].check
    assert urban([(768, 1024)] * 100) is None
    assert "the half-size copy" in str(urban([(384, 512)] * 100))
    assert "not 1024" in str(urban([(1, 1)]))
    assert SETS["manga109"].check([(1170, 827), (1072, 742)]) is None
    assert "one page per title" in str(SETS["manga109"].check([(1170, 1654)]))
    assert "1 of 2 images are not 481x321" in str(SETS["bsd100"].check([(321, 481), (320, 480)]))


def test_a_half_size_urban100_on_disk(tmp_path):
    save(tmp_path / "img_001.png", 8, 512)
    copies(tmp_path / "img_001.png", *(tmp_path / f"img_{i:03d}.png" for i in range(2, 101)))
    with pytest.raises(InputError, match="not the original Urban100 but the half-size copy"):
        open_source(f"urban100:{tmp_path}")
    assert len(open_source(tmp_path)) == 100


def test_the_reference_sets(reference, tmp_path):
    """Its Set14 is cropped for x2, as the archive has it that it comes from."""
    data = reference / "data"
    for name, folder, count in (("set5", "Set5", 5), ("bsd100", "BSD100", 100), ("t91", "T91", 91)):
        assert len(open_source(f"{name}:{data / folder}")) == count
    with pytest.raises(InputError, match=r"cropped copy: image 5 is 250x360 .*without 'set14:'"):
        open_source(f"set14:{data / 'Set14'}")
    for file in (data / "BSDS400").glob("train_*"):
        (tmp_path / file.name).symlink_to(file)
    assert len(open_source(f"bsds200:{tmp_path}")) == 200
    assert image_size(data / "Set14" / "HR" / "img_001.png") == datasets._SET14[0]


def test_splits(tmp_path, monkeypatch):
    monkeypatch.setitem(SETS, "bsds500", replace(SETS["bsds500"], splits={"train": 1, "test": 2}))
    for name in ("train/a", "test/b", "test/c"):
        save(tmp_path / "images" / f"{name}.png", 321, 481)
    assert open_source(f"bsds500:{tmp_path}").names == ("a.png",)
    assert open_source(f"bsds500:{tmp_path}", split="test").names == ("b.png", "c.png")
    with pytest.raises(InputError, match=r"BSDS500: no split 'tset'; did you mean 'test'\?"):
        open_source(f"bsds500:{tmp_path}", split="tset")


def test_names_and_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "set5:mine" / "a.png", 1, 1)
    assert locate.parse("set5:mine") is None  # exists as it is
    assert open_source("set5:mine").names == ("a.png",)
    assert locate.parse(r"C:\data\Set5") is None
    assert locate.parse("gs://bucket/x") is None
    named = locate.parse("DIV2K/bicubic_x8:/data")
    assert named is not None and (named.name, named.scale) == ("div2k", 8)
    with pytest.raises(InputError, match=r"no set is called 'set41'; did you mean 'set14'\?"):
        open_source("set41:.")
    with pytest.raises(InputError, match=r"no track 'unknwon_x4'; did you mean 'unknown_x4'\?"):
        open_source("div2k/unknwon_x4:.")
    with pytest.raises(InputError, match="Set5 has no track 'bicubic_x4'; it has no tracks"):
        open_source("set5/bicubic_x4:.")
    with pytest.raises(InputError, match="set41:nowhere: no such folder"):
        open_source("set41:nowhere")


def test_titles():
    for path, title in (("set14:x", "Set14"), ("div2k/wild_x4:x", "DIV2K_wild_x4")):
        named = locate.parse(path)
        assert named is not None and named.title == title
