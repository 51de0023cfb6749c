"""Image datasets that tfds registers by name, such as "div2k/bicubic_x4" and "clic"."""

import functools
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from jaxsr.data.images import Images, decode_rgb
from jaxsr.errors import InputError, nearest


def open_tfds(name: str, split: str, features: Sequence[str]) -> Images:
    """Images of the dataset that tfds registers as `name`, such as "div2k/bicubic_x4".

    It is prepared first, which may download it, if it is not on disk yet.

    Args:
      features: the first of these that the dataset has is taken.

    Raises:
      InputError: for an unknown name or split, a dataset without such an image, one that tfds
        has on disk in another form than ArrayRecord, or one that it can only prepare with
        TensorFlow where this is not installed.
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
    except tfds.core.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        raise InputError(
            f"tfds:{name}: tfds has no such dataset{nearest(name.partition('/')[0], known)}"
        ) from None
    except ValueError as error:
        raise InputError(f"tfds:{name}: {str(error).splitlines()[0]}") from None
    info = builder.info
    known: Any = info.features
    feature = next((key for key in features if key in known), None)
    if feature is None:
        raise InputError(f"tfds:{name}: has no {' or '.join(features)}, only {', '.join(known)}")
    if not info.splits:
        _prepare(name, builder)
    if split not in info.splits:
        raise InputError(f"tfds:{name}: no split '{split}'{nearest(split, info.splits)}")
    try:
        stored = builder.as_data_source(
            split=split,  # pyright: ignore[reportCallIssue] # hidden by tfds' decorator
            decoders={feature: tfds.decode.SkipDecoding()},
        )
    except NotImplementedError:
        raise InputError(
            f"tfds:{name}: is on disk in a form without random access; move {builder.data_path} "
            "away to have it made again as ArrayRecord"
        ) from None
    count = len(stored)
    return Images(
        names=tuple(f"{split}/{i}" for i in range(count)),
        readers=tuple(functools.partial(_read, stored, i, feature) for i in range(count)),
        fingerprint=repr((info.full_name, split, feature, count)),
        counts=(count,),
    )


def _read(stored: Sequence[Any], index: int, feature: str) -> np.ndarray:
    return decode_rgb(stored[index][feature])


def _prepare(name: str, builder: Any) -> None:
    if find_spec("tensorflow") is None:
        raise InputError(
            f"tfds:{name}: is not on disk, and tfds needs TensorFlow to make it; run "
            "pip install 'jax-superres[tf]', or give the folder of the images instead"
        )
    try:
        builder.download_and_prepare(file_format="array_record")
    except (OSError, ImportError) as error:  # no network, a full disk, a package that is missing
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"tfds:{name}: cannot be made ({reason}); see to that, or give the folder of the images"
        ) from error
