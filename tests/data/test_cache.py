"""The cache against the arrays it was made of."""

import json
import os
import time

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import build_cache, open_source
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


@pytest.mark.parametrize("keep", [0, 5, 100, 700, -1])
def test_a_file_cut_short_is_made_again(images, tmp_path, keep):
    build_cache(Printed(images), memory_limit=0, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:keep])
    source = Printed(images)
    assert_holds(build_cache(source, memory_limit=0, folder=tmp_path), images)
    assert sorted(source.reads) == [0, 1, 2]
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [whole]


def test_a_file_of_another_length_is_made_again(images, tmp_path):
    build_cache(Printed(images), memory_limit=0, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[3:])
    assert_holds(build_cache(Printed(images), memory_limit=0, folder=tmp_path), images)
    assert file.read_bytes() == whole


def index_of(whole):
    """Pixels and index of a cache file, which ends in the index, its length and a mark."""
    begin = len(whole) - 16 - int.from_bytes(whole[-16:-8], "little")
    return whole[:begin], json.loads(whole[begin:-16])


@pytest.mark.parametrize(
    "damage",
    [
        {"sizes": None},
        {"names": 7},
        {"names": "abc"},
        {"names": [1, 2, 3]},
        {"names": ["a"]},
        {"sizes": [[12, 10], [6, 20], 9]},
        {"sizes": [[12, 10], [6, 20], ["9", "9"]]},
        {"sizes": [[12, 10], [6.0, 20], [9, 9]]},
        {"sizes": [[12, 10], [-6, -20], [9, 9]]},
        "names",
        "sizes",
        [],
        None,
    ],
)
def test_a_damaged_index_is_made_again(images, tmp_path, damage):
    """A word is a key that is missing; other values take the place of the index."""
    build_cache(Printed(images), memory_limit=0, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    pixels, index = index_of(whole)
    if isinstance(damage, dict):
        index |= damage
    elif isinstance(damage, str):
        del index[damage]
    else:
        index = damage
    text = json.dumps(index).encode()
    file.write_bytes(pixels + text + len(text).to_bytes(8, "little") + whole[-8:])
    source = Printed(images)
    assert_holds(build_cache(source, memory_limit=0, folder=tmp_path), images)
    assert len(source.reads) == 3 and file.read_bytes() == whole


def test_what_a_killed_process_left_is_removed_after_a_day(images, tmp_path):
    kept = ["mine.tmp", ".hr-new.tmp", "hr-other.cache"]
    for name in [*kept, ".hr-old.tmp"]:
        (tmp_path / name).write_text("")
        then = time.time() - 3600 * (1 if name == ".hr-new.tmp" else 25)
        os.utime(tmp_path / name, (then, then))
    assert_holds(build_cache(Listed(images), memory_limit=0, folder=tmp_path), images)
    left = {path.name for path in tmp_path.iterdir()}
    assert left > set(kept) and len(left) == 4 and ".hr-old.tmp" not in left


def test_two_processes_at_once(images, tmp_path):
    """The second starts, and ends, in the middle of the first."""

    class Racing(Printed):
        def __getitem__(self, i):
            if i == 2:
                build_cache(Printed(images), memory_limit=0, folder=tmp_path)
            return super().__getitem__(i)

    assert_holds(build_cache(Racing(images), memory_limit=0, folder=tmp_path), images)
    assert len(list(tmp_path.iterdir())) == 1


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


def test_refusals(images, tmp_path):
    with pytest.raises(InputError, match="memory_limit = 100"):
        build_cache(Listed(images), memory_limit=100)
    with pytest.raises(InputError, match=r"rescale holds 1\.5"):
        build_cache(Listed(images), rescale=(1.5,))
    with pytest.raises(InputError, match="source is empty"):
        build_cache(Listed([]))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the cache"):
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
