"""Where HR images come from: files, folders, known sets, datasets of `jaxsr prepare` and tfds."""

from collections.abc import Sequence
from pathlib import Path

from jaxsr.data.images import Images, Source, from_files, joined
from jaxsr.data.locate import locate, title
from jaxsr.data.records import find_dataset, open_dataset
from jaxsr.data.registered import open_tfds
from jaxsr.errors import InputError

__all__ = ["Images", "Source", "open_source"]


def open_source(paths: str | Path | Sequence[str | Path], *, split: str = "train") -> Images:
    """Opens images for training; nothing is decoded until it is asked for.

    Args:
      paths: each an image file, a folder of images in one of the layouts of docs/datasets.md, a
        dataset made by `jaxsr prepare`, a known set as NAME:PATH ("div2k:/data/DIV2K") or its LR
        as NAME/TRACK:PATH, or a dataset of tfds as "tfds:NAME". Images keep the order of the
        paths, then of their names.
      split: which split to take of datasets and of known sets with several; files and folders
        have no splits.

    Returns:
      A source of uint8 [H, W, 3]. Gray images get three equal channels, 16 bits are rounded to 8
      (x / 257) and alpha is dropped. Reading an image raises `InputError` if it is broken or, in
      a dataset, if it is not the image that was stored there.

    Raises:
      InputError: for a path that is missing or holds no images, an unknown split, or a known set
        that is missing (with where to get it), incomplete or not the original.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    if not paths:
        raise InputError("no training images: give at least one file, folder or dataset")
    return joined([_open(path, split) for path in paths], labels(paths))


def labels(paths: Sequence[str | Path]) -> list[str]:
    """What precedes the images' names: the folder's name, where there are several."""
    # The file name is what people look for; a folder before it only where it is needed.
    return ["" if len(paths) == 1 or Path(path).is_file() else title(path) for path in paths]


def _open(path: str | Path, split: str) -> Images:
    if tfds_name(path):
        return open_tfds(tfds_name(path), split, ("hr", "image"))
    dataset = find_dataset(Path(path))
    if dataset is not None:
        return open_dataset(dataset, split)
    return from_files(locate(path, split))


def tfds_name(path: str | Path) -> str:
    """NAME of tfds:NAME; empty for other paths."""
    text = str(path)
    return text[5:] if text.startswith("tfds:") and not Path(text).exists() else ""
