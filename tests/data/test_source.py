"""Sources against arrays written by Pillow and imagecodecs."""

import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from jaxsr.data import open_source
from jaxsr.data.images import to_rgb8
from jaxsr.errors import InputError


def noise(h, w, channels, dtype=np.uint8):
    rng = np.random.default_rng(h * w + channels)
    return rng.integers(0, np.iinfo(dtype).max, (h, w, channels), dtype, endpoint=True)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    Image.fromarray(noise(5, 6, 3)).save(folder / "b.png")
    Image.fromarray(noise(4, 7, 1)[..., 0]).save(folder / "a.png")
    return folder


def test_a_folder_in_the_order_of_names(folder):
    source = open_source([folder])
    assert source.names == ("a.png", "b.png")
    assert len(source) == 2
    np.testing.assert_array_equal(source[0], np.repeat(noise(4, 7, 1), 3, axis=2))
    np.testing.assert_array_equal(source[1], noise(5, 6, 3))


def test_hr_folder_and_single_file(folder, tmp_path):
    hr = tmp_path / "benchmark" / "HR"
    hr.mkdir(parents=True)
    Image.fromarray(noise(3, 3, 3)).save(hr / "x.png")
    source = open_source([tmp_path / "benchmark", folder, folder / "b.png"])
    assert source.names == ("benchmark/x.png", "set/a.png", "set/b.png", "b.png")
    assert source.counts == (1, 2, 1)
    np.testing.assert_array_equal(source[3], noise(5, 6, 3))
    assert open_source(str(folder / "b.png")).names == ("b.png",)


def test_alpha_is_dropped(tmp_path):
    Image.fromarray(noise(5, 6, 4)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_source(tmp_path)[0], noise(5, 6, 4)[..., :3])


def test_16_bits_are_rounded(tmp_path):
    pixels = noise(5, 6, 3, np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    np.testing.assert_array_equal(open_source(tmp_path)[0], np.rint(pixels / 257))
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    np.testing.assert_array_equal(to_rgb8(every), np.rint(every / 257).repeat(3, axis=2))


def test_fingerprint_follows_the_files(folder):
    first = open_source(folder).fingerprint
    assert open_source(folder).fingerprint == first
    Image.fromarray(noise(9, 9, 3)).save(folder / "b.png")
    second = open_source(folder).fingerprint
    Image.fromarray(noise(9, 9, 3)).save(folder / "c.png")
    assert len({first, second, open_source(folder).fingerprint}) == 3


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="missing"):
        open_source(tmp_path / "missing")
    with pytest.raises(InputError, match="no images"):
        open_source(tmp_path)
    with pytest.raises(InputError, match="no training images"):
        open_source([])
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(InputError, match="not a dataset of `jaxsr prepare`"):
        open_source(tmp_path)


def test_importing_the_package_stays_light():
    code = (
        "import sys, jaxsr.data; "
        "heavy = {'PIL', 'tqdm', 'tensorflow_datasets', 'tensorflow', 'imagecodecs'}; "
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
