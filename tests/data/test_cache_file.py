"""The cache file: what was written, and notice of every change to it."""

import json
import zlib

import numpy as np
import pytest

from jaxsr.data import build_cache
from jaxsr.data.cache_file import open_entries, write_entries


@pytest.fixture
def entries():
    rng = np.random.default_rng(0)
    sizes = [(4, 3), (1, 1), (2, 5)]
    return [(f"{h}x{w}.png", rng.integers(0, 256, (h, w, 3), np.uint8)) for h, w in sizes]


@pytest.fixture
def file(tmp_path, entries):
    write_entries(tmp_path / "a.cache", entries)
    return tmp_path / "a.cache"


def open_it(file):
    lines = []
    return open_entries(file, warn=lines.append, progress=False), lines


def test_gives_what_was_written(file, entries):
    cached, lines = open_it(file)
    assert cached is not None and not lines
    for name, pixels, (expected_name, expected) in zip(*cached, entries, strict=True):
        assert name == expected_name and not pixels.flags.writeable
        np.testing.assert_array_equal(pixels, expected)


def test_the_format_is_as_documented(file, entries):
    whole = file.read_bytes()
    pixels = b"".join(pixels.tobytes() for _, pixels in entries)
    assert whole.startswith(pixels) and whole.endswith(b"jaxsrHR2")
    length, checksum = np.frombuffer(whole[-20:-12], "<u8"), np.frombuffer(whole[-12:-8], "<u4")
    index = whole[len(pixels) : -20]
    assert len(index) == length and zlib.crc32(index) == checksum
    assert json.loads(index) == {
        "names": [name for name, _ in entries],
        "sizes": [list(pixels.shape[:2]) for _, pixels in entries],
        "crc32": [zlib.crc32(pixels.tobytes()) for _, pixels in entries],
    }


def test_an_absent_file_is_no_news(tmp_path):
    assert open_it(tmp_path / "a.cache") == (None, [])


def test_every_flipped_byte_is_noticed(file):
    whole = file.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        cached, lines = open_it(file)
        assert cached is None, place
        assert len(lines) == 1 and lines[0].startswith(f"{file}: ") and "\n" not in lines[0]
        assert lines[0].endswith("; decoding the images again")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (0, "the pixels of 4x3.png are damaged"),
        (37, "the pixels of 1x1.png are damaged"),
        (75, "the index of this cache file is damaged"),
        (-20, "the index of this cache file is damaged"),
        (-1, "cut short or of another version"),
    ],
)
def test_the_warning_tells_where(file, place, words):
    changed = bytearray(file.read_bytes())
    changed[place] ^= 64
    file.write_bytes(changed)
    assert words in open_it(file)[1][0]


def test_every_other_length_is_noticed(file):
    whole = file.read_bytes()
    for changed in [*(whole[:keep] for keep in range(len(whole))), whole[3:], whole + b"\0"]:
        file.write_bytes(changed)
        cached, lines = open_it(file)
        assert cached is None and len(lines) == 1


def test_a_folder_of_that_name(tmp_path):
    (tmp_path / "a.cache").mkdir()
    cached, lines = open_it(tmp_path / "a.cache")
    assert cached is None and "Is a directory" in lines[0]


@pytest.mark.parametrize("place", [0, -40, -1])
def test_a_damaged_file_is_made_again(entries, tmp_path, place):
    class Source:
        names, fingerprint = tuple(name for name, _ in entries), "v1"

        def __len__(self):
            return len(entries)

        def __getitem__(self, i):
            return entries[i][1]

    lines = []
    for _ in range(2):
        build_cache(Source(), residency="mmap", folder=tmp_path, warn=lines.append)
    assert not lines
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[place] ^= 1
    file.write_bytes(changed)
    cache = build_cache(Source(), residency="mmap", folder=tmp_path, warn=lines.append)
    assert len(lines) == 1
    for got, (_, expected) in zip(cache.images, entries, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [whole]
