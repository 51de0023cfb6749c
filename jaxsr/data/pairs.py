"""LR and HR images that belong together: DIV2K's tracks, pairs of folders, datasets of pairs."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxsr.data.images import Images, from_files, joined, some
from jaxsr.data.locate import Located, locate_pairs
from jaxsr.data.records import find_dataset, first_of_each, open_dataset, split_records
from jaxsr.data.registered import open_tfds
from jaxsr.data.source import labels, tfds_name
from jaxsr.errors import InputError

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class Pairs:
    """LR image j was made from HR image `hr_of[j]`, whose sides are exactly `scale` times its own.

    Several LR images may belong to one HR image, as in DIV2K's wild track.
    """

    hr: Images
    lr: Images
    hr_of: tuple[int, ...]


def open_pairs(
    paths: str | Path | Sequence[str | Path], *, scale: int, split: str = "train"
) -> Pairs:
    """Opens pairs for one scale; sizes are checked from the files' headers, nothing is decoded.

    An LR pixel is a square of `scale` HR pixels: HR may be up to `scale - 1` pixels larger than
    that, and is then cut at the right and at the bottom.

    Args:
      paths: each a known set and its LR ("div2k/unknown_x4:/data/DIV2K"), a folder with HR/ and
        LR_xN/ or another layout of docs/datasets.md, two folders as "HRDIR+LRDIR", a dataset that
        `jaxsr prepare` made of pairs, or one of tfds ("tfds:div2k/unknown_x4").
      scale: HR pixels per LR pixel.
      split: which split to take of datasets and of known sets with several.

    Raises:
      InputError: as `open_source`; for a path without LR, HR without LR or the reverse, or sizes
        that do not fit (the first five are named).
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    if not paths:
        raise InputError("no training pairs: give at least one path")
    parts = [_open(path, scale, split) for path in paths]
    starts = np.cumsum([0, *(len(part.hr) for part in parts)]).tolist()
    names = labels(paths)
    return Pairs(
        joined([part.hr for part in parts], names),
        joined([part.lr for part in parts], names),
        tuple(start + i for start, part in zip(starts, parts, strict=False) for i in part.hr_of),
    )


def pair_sizes(path: str | Path, located: Located, scale: int) -> list[Size]:
    """The part (H, W) of each HR file that its LR files show; checks every pair.

    Raises:
      InputError: for HR files without LR or the reverse, or sizes that do not fit.
    """
    from jaxsr.image.io import image_size

    if located.lr is None:
        raise InputError(
            f"{path}: no LR images for x{scale}; give NAME/TRACK:PATH, HRDIR+LRDIR, or a folder "
            f"with HR and LR_x{scale}"
        )
    alone = [hr.name for hr, lr in zip(located.hr, located.lr, strict=True) if not lr]
    if alone:
        raise InputError(
            f"{located.lr_folder}: no LR of {len(alone)} of {len(located.hr)} HR images: "
            f"{some(alone)}; add it, or remove these HR images"
        )
    if located.over:
        raise InputError(
            f"{located.lr_folder}: {len(located.over)} LR images have no HR image: "
            f"{some([lr.name for lr in located.over])}; remove them, or add the HR images"
        )
    sizes = [
        (image_size(hr), [(lr.name, image_size(lr)) for lr in files])
        for hr, files in zip(located.hr, located.lr, strict=True)
    ]
    return fitting(path, [hr.name for hr in located.hr], sizes, scale)


def fitting(
    path: str | Path,
    names: Sequence[str],
    sizes: Sequence[tuple[Size, Sequence[tuple[str, Size]]]],
    scale: int,
) -> list[Size]:
    """The part of each HR image that its LR images (name, size) show.

    Raises:
      InputError: for LR that is not HR over `scale`, rounded down.
    """
    wrong = []
    for name, ((h, w), lr) in zip(names, sizes, strict=True):
        for lr_name, (lr_h, lr_w) in lr:
            if (lr_h, lr_w) != (h // scale, w // scale):
                wrong.append(f"{lr_name} {lr_w}x{lr_h} of {name} {w}x{h}")
    if wrong:
        raise InputError(
            f"{path}: {len(wrong)} LR images are not HR over {scale}: {some(wrong)}; "
            "give the HR images they were made from, or another scale"
        )
    return [(h // scale * scale, w // scale * scale) for (h, w), _ in sizes]


def _open(path: str | Path, scale: int, split: str) -> Pairs:
    if name := tfds_name(path):
        hr, lr = (open_tfds(name, split, (feature,)) for feature in ("hr", "lr"))
        readers = tuple(
            functools.partial(_read_fitting, name, scale, *readers)
            for readers in zip(hr.readers, lr.readers, strict=True)
        )
        cut = Images(hr.names, readers, f"{hr.fingerprint} x{scale}", hr.counts)
        return Pairs(cut, lr, tuple(range(len(lr))))
    dataset = find_dataset(Path(path))
    if dataset is not None:
        return _open_dataset(dataset, scale, split)
    located = locate_pairs(path, scale, split)
    sizes = pair_sizes(path, located, scale)
    lr = located.lr or []
    return Pairs(
        _cut(from_files(located.hr), sizes),
        from_files([file for files in lr for file in files]),
        tuple(i for i, files in enumerate(lr) for _ in files),
    )


def _open_dataset(dataset: Path, scale: int, split: str) -> Pairs:
    lr = open_dataset(dataset, split, "lr")
    records = split_records(dataset, split)
    first = first_of_each(records)
    number = {records[i]["filename"]: n for n, i in enumerate(first)}
    hr_of = tuple(number[record["filename"]] for record in records)
    shown = [
        (
            (record["height"], record["width"]),
            [(record["lr_filename"], (record["lr_height"], record["lr_width"]))],
        )
        for record in records
    ]
    sizes = fitting(dataset, [record["filename"] for record in records], shown, scale)
    return Pairs(_cut(open_dataset(dataset, split), [sizes[i] for i in first]), lr, hr_of)


def _cut(images: Images, sizes: Sequence[Size]) -> Images:
    """The top left part of each image, of these sizes."""
    return Images(
        images.names,
        tuple(
            functools.partial(_read_part, read, size)
            for read, size in zip(images.readers, sizes, strict=True)
        ),
        repr((images.fingerprint, list(sizes))),
        images.counts,
    )


def _read_part(read: Callable[[], np.ndarray], size: Size) -> np.ndarray:
    h, w = size
    return read()[:h, :w]


def _read_fitting(
    name: str,
    scale: int,
    read_hr: Callable[[], np.ndarray],
    read_lr: Callable[[], np.ndarray],
) -> np.ndarray:
    """HR of a dataset that does not tell its sizes before it is decoded."""
    hr, lr = read_hr(), read_lr()
    (size,) = fitting(f"tfds:{name}", ["HR"], [(hr.shape[:2], [("LR", lr.shape[:2])])], scale)
    return hr[: size[0], : size[1]]
