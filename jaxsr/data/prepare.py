"""A folder of images as a tfds dataset (ArrayRecord), the form to keep and to pass on.

Each record is `image` (PNG or JPEG bytes), `filename`, `height`, `width`, `channels` of the file
(1 gray, 3 RGB; stored are always three) and `sha256` of the decoded uint8 [H, W, 3] pixels, in the
order of the file names. Of pairs there is one record per LR image, which adds `lr` (bytes),
`lr_filename`, `lr_height`, `lr_width`, `lr_channels` and `lr_sha256`; HR is whole, even where it
is a few pixels larger than the LR image shows. The same list without the images is in the
dataset's metadata.json.
"""

import io
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.data.ahead import prefetch
from jaxsr.data.images import broken_images, decode_rgb, pixel_digest, read_rgb, to_rgb8
from jaxsr.data.locate import locate, locate_pairs, parse, title
from jaxsr.data.pairs import pair_sizes
from jaxsr.errors import InputError

_VERSION = "1.0.0"
_SHARD = 256  # images per file; half a gigabyte to two of 2K photographs


@dataclass(frozen=True)
class _Image:
    path: Path
    height: int
    width: int
    channels: int  # of the file: 1 gray, 3 RGB
    sha256: str
    as_is: bool  # whether the file's own bytes go into the record

    def summary(self) -> dict[str, Any]:
        return {
            "filename": self.path.name,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "sha256": self.sha256,
        }

    def encoded(self) -> bytes:
        """PNG or JPEG, as it goes into the record."""
        return self.path.read_bytes() if self.as_is else _png(read_rgb(self.path))


@dataclass(frozen=True)
class _Record:
    """An image, or HR and one of its LR images."""

    image: _Image
    lr: _Image | None = None

    def summary(self) -> dict[str, Any]:
        lr = {} if self.lr is None else self.lr.summary()
        return {**self.image.summary(), **{f"lr_{key}": value for key, value in lr.items()}}

    def example(self) -> dict[str, Any]:
        lr = {} if self.lr is None else {"lr": self.lr.encoded()}
        return {"image": self.image.encoded(), **lr, **self.summary()}


def prepare(
    path: str | Path,
    out: str | Path,
    *,
    scale: int | None = None,
    validation: int = 0,
    name: str | None = None,
) -> Path:
    """Writes the images of `path`, or its pairs, as a dataset in OUT/NAME/1.0.0.

    The bytes of a PNG or JPEG file are kept if any decoder makes the training pixels of them;
    the other images (16 bits, gray, palettes, alpha, turned by EXIF, other formats) are stored as
    lossless PNG of what `open_source` would read: 8-bit RGB.

    The splits of a known set are its own: "train" and "validation" of DIV2K, "test" of Set14.

    Args:
      path: a folder, as `open_source` takes it; a known set, NAME:PATH; or pairs, as `open_pairs`
        takes them: NAME/TRACK:PATH, or with `scale` the folders of HR and LR.
      out: the new dataset's folder; must not exist or be empty.
      scale: take HR with LR of this scale; NAME/TRACK says it by itself.
      validation: how many images, spread evenly over the sorted names, make the split
        "validation"; the others are "train".
      name: the dataset's name for tfds; by default made from the folder's name.

    Returns:
      `out`.

    Raises:
      InputError: for images that cannot be read (all of them named, before anything is written),
        what `open_source` or `open_pairs` refuses, a folder `out` that is not empty or cannot be
        written, or a `validation` that leaves nothing to train on or that the set has itself.
    """
    out = Path(out)
    named = parse(path)
    if name is None:
        name = _tfds_name(path)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"dataset name '{name}': use small letters, digits and underscores")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists already; give a new folder")
    if scale is None and named is not None:
        scale = named.scale
    own = ["train"] if named is None else list(named.known.splits)
    if validation and own != ["train"]:
        raise InputError(
            f"{path}: has the splits {', '.join(own)} already; leave out the validation images"
        )
    files = {split: _files(path, scale, split) for split in own}
    if validation or own == ["train"]:
        held_out = _spread(len(files["train"]), validation)
        if held_out:
            files["validation"] = [files["train"][i] for i in sorted(held_out)]
            files["train"] = [f for i, f in enumerate(files["train"]) if i not in held_out]
    flat = [file for pairs in files.values() for hr, lr in pairs for file in (hr, *lr)]
    images = dict(zip(flat, _inspect(flat), strict=True))
    splits = {
        split: [
            _Record(images[hr], None if file is None else images[file])
            for hr, lr in pairs
            for file in (lr or [None])
        ]
        for split, pairs in files.items()
    }
    _write(splits, name, out)
    return out


def _tfds_name(path: str | Path) -> str:
    """Of the folder, or of the known set and its track."""
    name = re.sub(r"[^a-z0-9]+", "_", title(path).lower()).strip("_")
    return name if name[:1].isalpha() else f"images_{name}".strip("_")


def _files(path: str | Path, scale: int | None, split: str) -> list[tuple[Path, list[Path]]]:
    """Each HR file and its LR files, of which there are none without a scale."""
    if scale is None:
        return [(file, []) for file in locate(path, split)]
    located = locate_pairs(path, scale, split)
    pair_sizes(path, located, scale)
    return list(zip(located.hr, located.lr or [], strict=True))


def _spread(total: int, count: int) -> set[int]:
    """`count` of the numbers below `total`, the middles of as many equal stretches."""
    if not 0 <= count < total:
        raise InputError(
            f"validation is {count} of {total} images; give a number from 0 to {total - 1}"
        )
    return {(2 * i + 1) * total // (2 * count) for i in range(count)}


def _inspect(files: list[Path]) -> list[_Image]:
    from tqdm import tqdm

    def inspect(i: int) -> _Image | Exception:
        try:
            return _inspect_file(files[i])
        except (InputError, OSError) as error:
            return error

    threads = min(8, os.cpu_count() or 1)
    results = prefetch(inspect, 0, len(files), depth=2 * threads, threads=threads)
    images, broken = [], []
    with closing(results):
        bar = tqdm(results, desc="check", unit="image", total=len(files), delay=2, disable=None)
        for file, result in zip(files, bar, strict=True):
            if isinstance(result, Exception):
                broken.append((file.name, result))
            else:
                images.append(result)
    if broken:
        raise broken_images(broken, len(files))
    return images


def _inspect_file(path: Path) -> _Image:
    from jaxsr.image.io import read_image

    picture = read_image(path)
    pixels = to_rgb8(picture.pixels)
    plain = picture.pixels.dtype == np.uint8 and picture.pixels.shape[2] == 3
    as_is = (
        path.suffix.lower() in {".png", ".jpg", ".jpeg"}
        and plain
        and picture.alpha is None
        and _decodes_to(path, pixels)
    )
    height, width, _ = pixels.shape
    return _Image(path, height, width, picture.pixels.shape[2], pixel_digest(pixels), as_is)


def _decodes_to(path: Path, pixels: np.ndarray) -> bool:
    """Whether the bare pixel data, without the file's EXIF turn or palette, are these pixels."""
    from PIL import Image

    encoded = path.read_bytes()
    with Image.open(io.BytesIO(encoded)) as image:
        plain = image.format in ("PNG", "JPEG") and image.mode == "RGB"
    return plain and np.array_equal(decode_rgb(encoded), pixels)


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _write(splits: dict[str, list[_Record]], name: str, out: Path) -> None:
    """Builds the dataset beside `out` and renames it, so that `out` is whole or absent."""
    temporary = out.parent / f".{out.name}-{uuid.uuid4().hex}.tmp"
    try:
        temporary.mkdir(parents=True)
        _build(splits, name, temporary)
        if out.exists():
            out.rmdir()
        os.replace(temporary, out)
    except (OSError, RuntimeError) as error:  # ArrayRecord raises RuntimeError on a full disk
        reason = getattr(error, "strerror", None) or str(error).split(";")[0]
        raise InputError(
            f"{out}: cannot write the dataset ({reason}); give another folder or free some space"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _build(splits: dict[str, list[_Record]], name: str, out: Path) -> None:
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.dataset_info import DatasetIdentity

    data_dir = out / name / _VERSION
    data_dir.mkdir(parents=True)
    described = {
        "filename": tfds.features.Text(),
        "height": tfds.features.Scalar(np.int32),
        "width": tfds.features.Scalar(np.int32),
        "channels": tfds.features.Scalar(np.int32),
        "sha256": tfds.features.Text(),
    }
    features = {"image": tfds.features.Image(shape=(None, None, 3)), **described}
    if any(record.lr for records in splits.values() for record in records):
        features["lr"] = tfds.features.Image(shape=(None, None, 3))
        features |= {f"lr_{key}": feature for key, feature in described.items()}
    info = tfds.core.DatasetInfo(
        builder=DatasetIdentity(name, tfds.core.Version(_VERSION), str(data_dir), __name__),
        description="High-resolution images for training super-resolution networks.",
        features=tfds.features.FeaturesDict(features),
        metadata=tfds.core.MetadataDict(
            jaxsr={split: [r.summary() for r in records] for split, records in splits.items()}
        ),
        disable_shuffling=True,
    )
    # Not a GeneratorBasedBuilder: that one sorts a split in memory and, beyond 1 GB, in temporary
    # files that it cannot open without TensorFlow. This writer appends the records as they come.
    writer = tfds.core.SequentialWriter(
        info, max_examples_per_shard=_SHARD, file_format="array_record"
    )
    writer.initialize_splits(list(splits))
    writer.add_examples(
        # A generator does for the list it asks for, and holds one image at a time.
        {split: _examples(records) for split, records in splits.items()}  # pyright: ignore
    )
    writer.close_all()


def _examples(records: list[_Record]) -> Iterator[dict[str, Any]]:
    from tqdm import tqdm

    for record in tqdm(records, desc="write", unit="image", delay=2, disable=None):
        yield record.example()
