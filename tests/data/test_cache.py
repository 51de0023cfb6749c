"""The cache against the arrays it was made of."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import build_cache, cache_folder, open_source
from jaxsr.data.records import find_dataset
from jaxsr.errors import InputError
from jaxsr.image.resize import imresize

SIZES = [(12, 10), (6, 20), (9, 9)]


class Listed:
    """The smallest source there is; counts how often each image is decoded."""

    def __init__(self, images):
        self.images = images
        self.names = tuple(f"{i}.png" for i in range(len(images)))
        self.reads = []

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        self.reads.append(i)
        if isinstance(self.images[i], Exception):
            raise self.images[i]
        return self.images[i]


class Printed(Listed):
    fingerprint = "v1"


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


def assert_holds(cache, images):
    assert len(cache) == len(images)
    for got, expected in zip(cache, images, strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("memory_limit", [0, 12 * 10 * 3, 1 << 20])
def test_holds_what_the_source_gave(images, tmp_path, memory_limit):
    source = Listed(images)
    cache = build_cache(source, memory_limit=memory_limit, folder=tmp_path / "new" / "cache")
    assert_holds(cache, images)
    assert sorted(source.reads) == [0, 1, 2]
    assert cache.names == source.names
    assert cache.origin == (0, 1, 2)
    assert cache.left_out == ()
    assert cache.nbytes == sum(image.nbytes for image in images)
    in_memory = memory_limit == 1 << 20
    assert len(list(tmp_path.glob("new/cache/*"))) == (0 if in_memory else 1)
    with pytest.raises(ValueError, match="read-only"):
        cache[0][:] = 0
    assert images[0].flags.writeable  # the caller's array is left alone


def test_order_does_not_hang_on_threads(tmp_path):
    images = [np.full((1, 1, 3), i, np.uint8) for i in range(100)]
    assert_holds(build_cache(Listed(images)), images)


def test_the_file_is_found_again_and_a_stale_one_is_not(images, tmp_path):
    def build(fingerprint, **options):
        source = Printed(images)
        source.fingerprint = fingerprint
        cache = build_cache(source, memory_limit=0, folder=tmp_path, **options)
        assert_holds(cache, images)
        return len(source.reads)

    assert build("a") == 3
    assert build("a") == 0
    assert build("a", min_size=2) == 0  # another patch, the same file
    assert build("b") == 3
    assert len(list(tmp_path.iterdir())) == 2
    shrunk = build_cache(Printed(images), memory_limit=0, folder=tmp_path, rescale=[0.5])
    assert shrunk[0].shape == (6, 5, 3)


def test_a_source_without_fingerprint_is_always_decoded(images, tmp_path):
    for pixels in (images, images[::-1]):
        for _ in range(2):
            source = Listed(pixels)
            assert_holds(build_cache(source, memory_limit=0, folder=tmp_path), pixels)
            assert sorted(source.reads) == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 2  # one file per content


@pytest.mark.parametrize("memory_limit", [0, 1 << 20])
def test_rescaled_copies(images, tmp_path, memory_limit):
    source = Listed(images)
    cache = build_cache(source, rescale=(1.0, 0.6), memory_limit=memory_limit, folder=tmp_path)
    shrunk = [np.asarray(imresize(image, scale=0.6)) for image in images]
    assert_holds(cache, [x for pair in zip(images, shrunk, strict=True) for x in pair])
    assert cache.names[:2] == ("0.png", "0.png@0.6")
    assert cache[1].shape == (8, 6, 3)  # ceil(0.6 * size), as MATLAB
    assert sorted(source.reads) == [0, 1, 2]


def test_small_images_are_left_out_and_told(images):
    cache = build_cache(Listed(images), min_size=9)
    assert_holds(cache, [images[0], images[2]])
    assert cache.names == ("0.png", "2.png")
    assert cache.origin == (0, 2)
    assert cache.left_out == ("1.png 20x6",)


@pytest.mark.parametrize("memory_limit", [0, 1 << 20])
def test_copies_and_what_is_left_out_keep_their_origin(images, tmp_path, memory_limit):
    cache = build_cache(
        Printed(images),
        rescale=(1.0, 0.6),
        memory_limit=memory_limit,
        folder=tmp_path,
        min_size=6,
    )
    assert cache.names == ("0.png", "0.png@0.6", "1.png", "2.png", "2.png@0.6")
    assert cache.origin == (0, 0, 1, 2, 2)


def test_no_image_large_enough(images):
    with pytest.raises(InputError, match=r"none of the 3 images .* 48x48: .* 0\.png 10x12;"):
        build_cache(Listed(images), min_size=48)


def test_broken_images_are_told_together(images, tmp_path):
    bad = [InputError(f"/somewhere/{i}.png: truncated; get it again") for i in range(3, 10)]
    source = Listed(images + bad)
    with pytest.raises(InputError) as error:
        build_cache(source, memory_limit=0, folder=tmp_path)
    assert str(error.value) == (
        "7 of 10 images cannot be read: 3.png (truncated), 4.png (truncated), 5.png (truncated), "
        "6.png (truncated), 7.png (truncated), and 2 more; replace or remove them"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8)])
def test_foreign_pixels_are_refused(wrong):
    with pytest.raises(InputError, match=r"0\.png \(expected uint8 \[H, W, 3\], got"):
        build_cache(Listed([wrong]))


@pytest.mark.parametrize(
    ("residency", "memory_limit", "in_a_file"),
    [("auto", 0, True), ("auto", 1 << 20, False), ("memory", 0, False), ("mmap", 1 << 20, True)],
)
def test_residency(images, tmp_path, residency, memory_limit, in_a_file):
    options = {"residency": residency, "memory_limit": memory_limit, "folder": tmp_path}
    source = Printed(images)
    assert_holds(build_cache(source, **options), images)
    assert sorted(source.reads) == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == in_a_file


def test_auto_takes_a_file_that_is_there_and_memory_does_not(images, tmp_path):
    build_cache(Printed(images), residency="mmap", folder=tmp_path)
    for residency, reads in (("auto", 0), ("memory", 3)):
        source = Printed(images)
        assert_holds(build_cache(source, residency=residency, folder=tmp_path), images)
        assert len(source.reads) == reads


def test_where_the_file_goes(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shared = tmp_path / "home" / ".cache" / "jaxsr"
    first, second, image = (tmp_path / name for name in ("first", "second", "image.png"))
    first.mkdir()
    second.mkdir()
    image.touch()
    assert cache_folder() == shared
    assert cache_folder(first) == first / ".jaxsr-cache"
    assert cache_folder((str(first), str(second))) == first / ".jaxsr-cache"
    assert cache_folder([image, second]) == tmp_path / ".jaxsr-cache"
    assert cache_folder([tmp_path / "missing" / "folder"]) == shared
    assert cache_folder(f"div2k/unknown_x4:{first}") == first / ".jaxsr-cache"
    assert cache_folder([f"{second}+{first}"]) == second / ".jaxsr-cache"
    assert cache_folder("tfds:clic") == shared
    assert not list(first.iterdir())
    (first / ".jaxsr-cache").touch()  # somebody's file of that name
    assert cache_folder(first) == shared
    monkeypatch.setenv("JAXSR_CACHE", "elsewhere")
    assert cache_folder(first) == Path("elsewhere")


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert cache_folder(tmp_path) == Path.home() / ".cache" / "jaxsr"


def test_readers_do_not_see_the_cache_beside_the_images(images, tmp_path, monkeypatch):
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    for version in (images[0], images[1]):
        for name in ("a.png", "b.png"):
            Image.fromarray(version).save(tmp_path / name)
        for _ in range(2):
            source = open_source(tmp_path)
            cache = build_cache(source, residency="mmap", folder=cache_folder(tmp_path))
            assert_holds(cache, [version, version])
            assert source.names == ("a.png", "b.png")
    assert len(list(tmp_path.iterdir())) == 3
    assert len(list((tmp_path / ".jaxsr-cache").iterdir())) == 2


@pytest.mark.parametrize("within", ["", "1.0.0", "photos/1.0.0"])
def test_datasets_are_found_beside_their_cache(images, tmp_path, monkeypatch, within):
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    dataset = tmp_path / within
    dataset.mkdir(parents=True, exist_ok=True)
    (dataset / "dataset_info.json").touch()
    build_cache(Listed(images), residency="mmap", folder=cache_folder(tmp_path))
    assert (tmp_path / ".jaxsr-cache").is_dir()
    assert find_dataset(tmp_path) == dataset


def test_refusals(images, tmp_path):
    with pytest.raises(InputError, match="memory_limit = 100"):
        build_cache(Listed(images), memory_limit=100)
    with pytest.raises(InputError, match=r"rescale holds 1\.5"):
        build_cache(Listed(images), rescale=(1.5,))
    with pytest.raises(InputError, match="source is empty"):
        build_cache(Listed([]))
    with pytest.raises(InputError, match=r"'mmap': give a folder"):
        build_cache(Listed(images), residency="mmap")
    with pytest.raises(InputError, match=r"residency is 'mmpa'; did you mean 'mmap'\?"):
        build_cache(Listed(images), residency="mmpa")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: cannot write the cache .* JAXSR_CACHE"):
        build_cache(Listed(images), memory_limit=0, folder=tmp_path / "file")


def test_a_changed_image_file_makes_a_new_cache(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for value in (1, 200):
        # The two differ in pixels and in time of change.
        pixels = np.full((5, 7, 3), value, np.uint8)
        Image.fromarray(pixels).save(folder / "a.png")
        cache = build_cache(open_source(folder), memory_limit=0, folder=tmp_path / "cache")
        assert_holds(cache, [pixels])
