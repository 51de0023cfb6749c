"""Datasets are checked by tfds' own reader as well as by `open_source`."""

import hashlib
import sys
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from jaxsr.data import build_cache, open_source
from jaxsr.data.datasets import SETS
from jaxsr.data.pairs import open_pairs
from jaxsr.data.prepare import prepare
from jaxsr.data.records import find_dataset, read_test_records
from jaxsr.errors import InputError
from jaxsr.evaluation import read_test_set
from jaxsr.metrics import get_protocol


def noise(h, w, channels, dtype=np.uint8):
    rng = np.random.default_rng(h * w + channels)
    return rng.integers(0, np.iinfo(dtype).max, (h, w, channels), dtype, endpoint=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """One file of each kind; `as_is` are those whose bytes are to be kept."""
    folder = tmp_path_factory.mktemp("in") / "My Photos"
    folder.mkdir()
    rgb = Image.fromarray(noise(8, 9, 3))
    rgb.save(folder / "a_rgb.png")
    rgb.save(folder / "b_rgb.jpg", quality=70)
    rgb.save(folder / "c_rgb.bmp")
    Image.fromarray(noise(8, 9, 1)[..., 0]).save(folder / "d_gray.png")
    Image.fromarray(noise(8, 9, 4)).save(folder / "e_alpha.png")
    (folder / "f_deep.png").write_bytes(imagecodecs.png_encode(noise(8, 9, 3, np.uint16)))
    rgb.quantize(16).save(folder / "g_palette.png")
    exif = Image.Exif()
    exif[274] = 6
    rgb.save(folder / "h_turned.jpg", exif=exif)
    return folder


@pytest.fixture(scope="module")
def dataset(photos, tmp_path_factory):
    return prepare(photos, tmp_path_factory.mktemp("out") / "sets" / "photos", validation=2)


def test_reads_back_what_the_folder_holds(photos, dataset):
    folder = open_source(photos)
    expected = dict(zip(folder.names, folder, strict=True))
    names = []
    for split in ("train", "validation"):
        source = open_source(dataset, split=split)
        for name, pixels in zip(source.names, source, strict=True):
            assert pixels.dtype == np.uint8
            np.testing.assert_array_equal(pixels, expected[name])
            names.append(name)
    assert sorted(names) == sorted(expected)
    assert expected["h_turned.jpg"].shape == (9, 8, 3)


def test_validation_reads_as_from_the_folder(tmp_path):
    """Gray is scored as one channel, which is its own luma, wherever it comes from."""
    folder = tmp_path / "in"
    folder.mkdir()
    gray = noise(24, 30, 1)
    Image.fromarray(gray[..., 0]).save(folder / "a.png")
    Image.fromarray(gray.repeat(3, 2)).save(folder / "b.png")  # RGB, though it looks gray
    Image.fromarray(noise(24, 30, 3)).save(folder / "c.png")  # for training
    (folder / "d.png").write_bytes(imagecodecs.png_encode(noise(24, 30, 1, np.uint16)))
    Image.fromarray(noise(24, 30, 2)).save(folder / "e.png")  # gray with alpha
    read = read_test_records(prepare(folder, tmp_path / "out", validation=4))
    from_folder = {x.name: x.hr for x in read_test_set(folder, 2, get_protocol("rgb"))}
    assert [name for name, _, _ in read] == ["a.png", "b.png", "d.png", "e.png"]
    assert [hr.shape[2] for _, hr, _ in read] == [1, 3, 1, 1]
    for name, hr, _ in read:
        assert hr.dtype == np.uint8
        np.testing.assert_array_equal(hr, from_folder[name])


def test_validation_is_spread_over_the_names(dataset):
    # Eight images, two of them in the middles of the first and of the second four.
    assert open_source(dataset, split="validation").names == ("c_rgb.bmp", "g_palette.png")


def test_tfds_reads_the_same_without_tensorflow(photos, dataset):
    pytest.importorskip("array_record")
    stored = tfds.builder("my_photos", data_dir=dataset).as_data_source(split="train")
    folder = open_source(photos)
    expected = dict(zip(folder.names, folder, strict=True))
    names = [record["filename"].decode() for record in stored]
    assert names == sorted(set(expected) - {"c_rgb.bmp", "g_palette.png"})
    for name, record in zip(names, stored, strict=True):
        np.testing.assert_array_equal(record["image"], expected[name])
        assert (record["height"], record["width"], 3) == expected[name].shape
        assert record["channels"] == (1 if name == "d_gray.png" else 3)
        assert record["sha256"].decode() == hashlib.sha256(expected[name].tobytes()).hexdigest()
    assert "tensorflow" not in sys.modules


def test_file_bytes_are_kept_where_they_can_be(photos, dataset):
    skip = {"image": tfds.decode.SkipDecoding()}
    for split in ("train", "validation"):
        builder = tfds.builder("my_photos", data_dir=dataset)
        for record in builder.as_data_source(split=split, decoders=skip):
            name = record["filename"].decode()
            kept = record["image"] == (photos / name).read_bytes()
            assert kept == (name in {"a_rgb.png", "b_rgb.jpg"}), name


def test_the_dataset_folder_at_every_level(dataset):
    names = open_source(dataset).names
    assert open_source(dataset / "my_photos").names == names
    assert open_source(dataset / "my_photos" / "1.0.0").names == names


def test_several_shards_keep_the_order(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxsr.data.prepare._SHARD", 3)
    many = open_source(prepare(photos, tmp_path / "out"))
    assert len(list(tmp_path.rglob("*.array_record*"))) == 3
    assert many.names == open_source(photos).names
    for i in range(8):
        np.testing.assert_array_equal(many[i], open_source(photos)[i])


def test_says_and_leaves_nothing_else(photos, tmp_path, capfd):
    prepare(photos, tmp_path / "out", name="small")
    assert capfd.readouterr() == ("", "")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["small"]
    for file in (tmp_path / "out").rglob("*.json"):
        assert str(tmp_path) not in file.read_text()


def test_the_cache_is_found_again_after_a_move(photos, tmp_path):
    prepare(photos, tmp_path / "one")
    cache = build_cache(open_source(tmp_path / "one"), memory_limit=0, folder=tmp_path / "cache")
    (tmp_path / "one").rename(tmp_path / "two")
    again = build_cache(open_source(tmp_path / "two"), memory_limit=0, folder=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    np.testing.assert_array_equal(cache[5], again[5])


def test_a_changed_byte_is_noticed(photos, tmp_path):
    """At whatever level it falls: ArrayRecord, PNG or the pixels."""
    prepare(photos, tmp_path / "out")
    (file,) = tmp_path.rglob("*.array_record*")
    whole = bytearray(file.read_bytes())
    place = whole.find(b"IDAT")
    assert place > 0  # PNG does not compress any further
    whole[place + 12] ^= 255
    file.write_bytes(whole)
    with pytest.raises(InputError, match=r"1 of 8 images cannot be read: .* \(damaged"):
        build_cache(open_source(tmp_path / "out"))


def test_other_pixels_are_noticed(photos, tmp_path, monkeypatch):
    """A record whose image is whole but not the one it claims to be."""
    monkeypatch.setattr("jaxsr.data.prepare.pixel_digest", lambda pixels: "0" * 64)
    source = open_source(prepare(photos, tmp_path / "out"))
    with pytest.raises(InputError, match=r"a_rgb\.png: damaged \(not what was stored"):
        source[0]


def test_broken_files_are_told_before_anything_is_written(photos, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    whole = (photos / "a_rgb.png").read_bytes()
    (folder / "good.png").write_bytes(whole)
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no image")
    with pytest.raises(InputError, match=r"2 of 3 images .* cut\.png \(.*text\.png \(") as error:
        prepare(folder, tmp_path / "out")
    assert "good.png" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_refusals(photos, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(InputError, match="full: exists already"):
        prepare(photos, tmp_path / "full")
    for validation in (-1, 8):
        with pytest.raises(InputError, match=f"validation is {validation} of 8"):
            prepare(photos, tmp_path / "out", validation=validation)
    with pytest.raises(InputError, match="dataset name 'A-b'"):
        prepare(photos, tmp_path / "out", name="A-b")
    with pytest.raises(InputError, match="cannot write the dataset"):
        prepare(photos, tmp_path / "full" / "x" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


def test_an_unknown_split(dataset):
    with pytest.raises(InputError, match=r"no split 'valid'; did you mean 'validation'\?"):
        open_source(dataset, split="valid")


def test_no_validation_to_read(photos, tmp_path):
    with pytest.raises(InputError, match="no split 'validation'; known: train"):
        read_test_records(prepare(photos, tmp_path / "out"))
    with pytest.raises(InputError, match="not a dataset of `jaxsr prepare`"):
        read_test_records(photos)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("write() failed: No space left on device; writing x; at byte 7"),
    ],
)
def test_a_failure_while_writing_leaves_nothing(photos, tmp_path, monkeypatch, error):
    def full_disk(pixels):
        raise error

    monkeypatch.setattr("jaxsr.data.prepare._png", full_disk)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"No space left on device\)"):
        prepare(photos, tmp_path / "out")
    assert [p.name for p in tmp_path.rglob("*")] == ["out"]


@pytest.fixture
def div2k(tmp_path, monkeypatch):
    """Two training images and one for validation, HR of 9x10; LR of wild and of unknown, x4."""
    splits = {"train": ("0001", "0002"), "validation": ("0801",)}
    monkeypatch.setitem(SETS, "div2k", replace(SETS["div2k"], splits=splits, check=lambda s: None))
    root = tmp_path / "DIV2K"
    for part, stems in (("train", splits["train"]), ("valid", splits["validation"])):
        hr, unknown = root / f"DIV2K_{part}_HR", root / f"DIV2K_{part}_LR_unknown" / "X4"
        wild = root / f"DIV2K_{part}_LR_wild"
        for folder in (hr, unknown, wild):
            folder.mkdir(parents=True)
        for stem in stems:
            Image.fromarray(noise(9, 10, 3) + np.uint8(int(stem) % 256)).save(hr / f"{stem}.png")
            lr = Image.fromarray(noise(2, 2, 3) + np.uint8(int(stem) % 256))
            lr.save(unknown / f"{stem}x4.png")
            for j in "1234" if part == "train" else ("",):
                lr.rotate(90 * int(j or 0)).save(wild / f"{stem}x4w{j}.png")
    return root


def same(a, b):
    assert a.names == b.names
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("track", ["unknown_x4", "wild_x4"])
def test_pairs_of_a_known_set_in_its_splits(div2k, tmp_path, track):
    path = f"div2k/{track}:{div2k}"
    out = prepare(path, tmp_path / "out")
    for split in ("train", "validation"):
        stored, files = (open_pairs(p, scale=4, split=split) for p in (out, path))
        assert stored.hr_of == files.hr_of
        same(stored.hr, files.hr)
        same(stored.lr, files.lr)
        same(open_source(out, split=split), open_source(f"div2k:{div2k}", split=split))
    with pytest.raises(InputError, match=r"not HR over 2: 0001x4.* 2x2 of 0001\.png 10x9"):
        open_pairs(out, scale=2)
    # What tfds itself reads, without TensorFlow.
    dataset = find_dataset(out)
    assert dataset is not None and dataset.parent.name == f"div2k_{track}"
    files = open_pairs(path, scale=4)
    records = tfds.builder_from_directory(dataset).as_data_source(split="train")
    assert len(records) == len(files.lr) == (8 if track == "wild_x4" else 2)
    for record, lr, name in zip(records, files.lr, files.lr.names, strict=True):
        np.testing.assert_array_equal(record["lr"], lr)
        assert record["image"].shape == (9, 10, 3)
        assert record["lr_filename"].decode() == name
        assert record["lr_sha256"].decode() == hashlib.sha256(lr.tobytes()).hexdigest()
    assert "tensorflow" not in sys.modules


def test_pairs_of_folders(tmp_path):
    for i in range(4):
        for folder, h, w in (("HR", 24 + i, 30), ("LR_x2", (24 + i) // 2, 15)):
            (tmp_path / "in" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise(h, w, 3)).save(tmp_path / "in" / folder / f"{i}.png")
    out = prepare(tmp_path / "in", tmp_path / "out", scale=2, validation=1)
    pairs = open_pairs(out, scale=2)
    assert pairs.hr.names == pairs.lr.names == ("0.png", "1.png", "3.png")
    np.testing.assert_array_equal(pairs.hr[1], noise(25, 30, 3)[:24])
    (test,) = read_test_set(out, 2, get_protocol("rgb"))
    np.testing.assert_array_equal(test.hr, noise(26, 30, 3))
    assert test.lr is not None
    np.testing.assert_array_equal(test.lr, noise(13, 15, 3))
    (on_luma,) = read_test_set(out, 2, get_protocol("y-uint8"))
    assert on_luma.lr is None
    with pytest.raises(InputError, match=r"LR of 2\.png: is 15x13 .* HR 2\.png at x3 needs 10x8"):
        read_test_set(out, 3, get_protocol("rgb"))
    with pytest.raises(InputError, match="holds no LR; prepare it from pairs"):
        open_pairs(prepare(tmp_path / "in", tmp_path / "hr"), scale=2)


def test_a_test_set_is_the_split_test(tmp_path, monkeypatch):
    monkeypatch.setitem(
        SETS, "set5", replace(SETS["set5"], splits={"test": 2}, check=lambda s: None)
    )
    (tmp_path / "Set5").mkdir()
    for name in ("baby", "bird"):
        Image.fromarray(noise(20, 20, 3)).save(tmp_path / "Set5" / f"{name}.png")
    out = prepare(f"set5:{tmp_path / 'Set5'}", tmp_path / "out")
    assert open_source(out, split="test").names == ("baby.png", "bird.png")
    assert [name for name, _, _ in read_test_records(out)] == ["baby.png", "bird.png"]
    with pytest.raises(InputError, match="no split 'train'; known: test"):
        open_source(out)
    with pytest.raises(InputError, match=r"set5:.*: has the splits test already"):
        prepare(f"set5:{tmp_path / 'Set5'}", tmp_path / "more", validation=1)
