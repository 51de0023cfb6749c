"""Datasets of `jaxsr prepare`, read by tfds without TensorFlow, every record against its digest."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.data.images import Images, decode_rgb, pixel_digest
from jaxsr.errors import InputError, nearest

# What precedes the keys of the record that describe HR and LR.
_PREFIX = {"image": "", "lr": "lr_"}


def find_dataset(path: Path) -> Path | None:
    """The tfds dataset at `path`, `path`/VERSION or `path`/NAME/VERSION; None if there is none."""
    patterns = ("dataset_info.json", "*/dataset_info.json", "*/*/dataset_info.json")
    found = sorted(info.parent for pattern in patterns for info in path.glob(pattern))
    if len(found) > 1:
        raise InputError(f"{path}: holds {len(found)} datasets; give one of them: {found[0]}, ...")
    return found[0] if found else None


def dataset_records(dataset: Path) -> dict[str, list[dict[str, Any]]]:
    """What `jaxsr prepare` wrote: per split a dict of each image but for its pixels.

    The keys are `filename`, `height`, `width`, `channels` and `sha256`, and in a dataset of pairs
    the same of LR after `lr_`.

    Raises:
      InputError: if the dataset was not made by `jaxsr prepare`.
    """
    try:
        return json.loads((dataset / "metadata.json").read_text(encoding="utf-8"))["jaxsr"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{dataset}: not a dataset of `jaxsr prepare` (no list of images in metadata.json); "
            "make one from the folder of images"
        ) from None


def split_records(dataset: Path, split: str) -> list[dict[str, Any]]:
    """The records of one split; raises `InputError` if there is no such split."""
    splits = dataset_records(dataset)
    if split not in splits:
        raise InputError(f"{dataset}: no split '{split}'{nearest(split, splits)}")
    return splits[split]


def open_dataset(dataset: Path, split: str, feature: str = "image") -> Images:
    """The HR images ("image") of one split, each once, or its LR images ("lr")."""
    import tensorflow_datasets as tfds

    records = split_records(dataset, split)
    prefix = _PREFIX[feature]
    if records and f"{prefix}sha256" not in records[0]:
        raise InputError(
            f"{dataset}: holds no LR; prepare it from pairs, such as div2k/unknown_x4:PATH"
        )
    # Skipping tfds' decoder: it takes OpenCV or Pillow, whichever it finds.
    decoders = {key: tfds.decode.SkipDecoding() for key in _PREFIX if key in _features(records)}
    stored = tfds.builder_from_directory(dataset).as_data_source(
        split=split,  # pyright: ignore[reportCallIssue] # hidden by tfds' logging decorator
        decoders=decoders,
    )
    chosen = range(len(records)) if feature == "lr" else first_of_each(records)
    return Images(
        names=tuple(records[i][f"{prefix}filename"] for i in chosen),
        readers=tuple(
            functools.partial(_read_record, stored, i, dataset, feature, records[i]) for i in chosen
        ),
        fingerprint=repr([records[i][f"{prefix}sha256"] for i in chosen]),
        counts=(len(chosen),),
    )


def first_of_each(records: Sequence[dict[str, Any]]) -> list[int]:
    """The number of the first record of each HR image, which is repeated where LR are several."""
    first: dict[str, int] = {}
    for i, record in enumerate(records):
        first.setdefault(record["filename"], i)
    return list(first.values())


def _features(records: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return ("image", "lr") if records and "lr_sha256" in records[0] else ("image",)


def _read_record(
    stored: Sequence[dict[str, Any]],
    index: int,
    dataset: Path,
    feature: str,
    expected: dict[str, Any],
) -> np.ndarray:
    advice = "prepare the dataset again"
    prefix = _PREFIX[feature]
    name = expected[f"{prefix}filename"]
    try:
        record = stored[index]
        pixels = decode_rgb(record[feature])
        whole = (
            record[f"{prefix}filename"].decode() == name
            and (record[f"{prefix}height"], record[f"{prefix}width"]) == pixels.shape[:2]
            and record[f"{prefix}sha256"].decode() == pixel_digest(pixels)
        )
    except Exception as error:  # whatever ArrayRecord, tfds or Pillow make of a damaged file
        raise InputError(f"{dataset}: {name}: damaged ({error}); {advice}") from error
    if not whole:
        raise InputError(f"{dataset}: {name}: damaged (not what was stored there); {advice}")
    return pixels


def read_test_records(
    path: str | Path, *, with_lr: bool = False
) -> list[tuple[str, np.ndarray, np.ndarray | None]]:
    """Name, HR and, if it is asked for and stored, LR of each image in the split to score on.

    That is `validation`, or `test` where only that is there. Unlike in `open_source`, gray files
    are [H, W, 1]: gray is its own luma, and scores lower (by 1.3 dB) than the same picture as RGB.

    Raises:
      InputError: if `path` is no dataset of `jaxsr prepare`, has no such split, or is damaged.
    """
    path = Path(path)
    dataset = find_dataset(path) or path
    splits = dataset_records(dataset)
    split = "test" if "test" in splits and "validation" not in splits else "validation"
    records = split_records(dataset, split)
    if any("channels" not in record for record in records):
        raise InputError(f"{dataset}: does not say which images are gray; prepare it again")
    chosen = first_of_each(records)
    hr = open_dataset(dataset, split)
    lr = open_dataset(dataset, split, "lr") if with_lr and "lr" in _features(records) else None
    return [
        (
            records[i]["filename"],
            hr[j][..., : records[i]["channels"]],
            None if lr is None else lr[i][..., : records[i]["lr_channels"]],
        )
        for j, i in enumerate(chosen)
    ]
