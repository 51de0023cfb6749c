"""tfds' registered datasets, by a dataset of the tests' own: none is on disk or can be fetched."""

import io
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.dataset_info import DatasetIdentity

from jaxsr.data import open_source
from jaxsr.data.pairs import open_pairs
from jaxsr.errors import InputError


def noise(h, w, seed):
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Two pairs at x2, HR of 5x7, in the default folder of tfds."""
    folder = tmp_path / "tiny_pairs" / "1.0.0"
    folder.mkdir(parents=True)
    image = tfds.features.Image(shape=(None, None, 3))
    identity = DatasetIdentity("tiny_pairs", tfds.core.Version("1.0.0"), str(folder), __name__)
    info = tfds.core.DatasetInfo(
        builder=identity,
        features=tfds.features.FeaturesDict({"hr": image, "lr": image}),
        disable_shuffling=True,
    )
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=9, file_format="array_record")
    writer.initialize_splits(["train"])
    examples = [{"hr": png(noise(5, 7, i)), "lr": png(noise(2, 3, 10 + i))} for i in range(2)]
    writer.add_examples({"train": examples})
    writer.close_all()
    builder = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: builder(name, data_dir=tmp_path))


def test_images_and_pairs_without_tensorflow(prepared):
    source = open_source("tfds:tiny_pairs")
    assert source.names == ("train/0", "train/1")
    np.testing.assert_array_equal(source[1], noise(5, 7, 1))
    pairs = open_pairs("tfds:tiny_pairs", scale=2)
    assert pairs.hr_of == (0, 1)
    np.testing.assert_array_equal(pairs.hr[0], noise(5, 7, 0)[:4, :6])
    np.testing.assert_array_equal(pairs.lr[1], noise(2, 3, 11))
    with pytest.raises(InputError, match=r"tfds:tiny_pairs: 1 LR images are not HR over 3"):
        open_pairs("tfds:tiny_pairs", scale=3).hr[0]
    with pytest.raises(InputError, match=r"tfds:tiny_pairs: no split 'test'; known: train"):
        open_source("tfds:tiny_pairs", split="test")
    assert "tensorflow" not in sys.modules


def test_refusals(tmp_path, monkeypatch):
    builder = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: builder(name, data_dir=tmp_path))
    monkeypatch.setattr("jaxsr.data.registered.find_spec", lambda name: None)
    for name in ("div2k/bicubic_x4", "clic"):
        with pytest.raises(InputError, match=rf"tfds:{name}: is not on disk.*'jax-superres\[tf\]'"):
            open_source(f"tfds:{name}")
    with pytest.raises(InputError, match=r"tfds has no such dataset; did you mean 'div2k'\?"):
        open_source("tfds:div3k/bicubic_x4")
    with pytest.raises(InputError, match=r"no such dataset; known: .* and \d+ more") as refusal:
        open_source("tfds:x")
    assert len(str(refusal.value)) < 1000
    with pytest.raises(InputError, match="tfds:div2k/bicubic_x5: "):
        open_source("tfds:div2k/bicubic_x5")
    with pytest.raises(InputError, match="tfds:clic: has no hr, only image"):
        open_pairs("tfds:clic", scale=2)
