"""Which pictures are rated, and the names under which a page may show them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxsr.data.images import some
from jaxsr.data.locate import labelled
from jaxsr.errors import InputError


@dataclass(frozen=True)
class Stimulus:
    """One method's version of one image; `id` tells neither."""

    id: str
    method: str
    image: str
    file: Path


def find_stimuli(inputs: Sequence[str], seed: int) -> list[Stimulus]:
    """The pictures of every method, in random order.

    Args:
      inputs: each a folder of results or NAME=FOLDER; the method is called NAME, else as the
        folder. Images are known by their file names without the extension.
      seed: the ids are hashes of seed, method and image, and the order is that of the ids: who
        knows the three can work them out, who only sees the page cannot.

    Raises:
      InputError: for two folders of one name, folders that do not hold the same images, versions
        of an image that differ in size, which would give the method away.
    """
    from jaxsr.image.io import image_size

    folders: dict[str, Path] = {}
    for text in inputs:
        name, folder = labelled(text)
        method = name or folder.resolve().name
        if method in folders:
            raise InputError(
                f"{folders[method]} and {folder} are both called {method}; give NAME=FOLDER"
            )
        folders[method] = folder
    files = {method: _by_stem(folder) for method, folder in folders.items()}
    first = next(iter(files))
    for method in files:
        for one, other in ((method, first), (first, method)):
            if missing := [stem for stem in files[other] if stem not in files[one]]:
                raise InputError(
                    f"{folders[one]}: no picture of {some(missing)}, which {folders[other]} has; "
                    "all methods need the same images"
                )
        for stem, file in files[method].items():
            (h, w), (first_h, first_w) = image_size(file), image_size(files[first][stem])
            if (h, w) != (first_h, first_w):
                raise InputError(
                    f"{file}: is {w}x{h}, but {files[first][stem]} {first_w}x{first_h}; "
                    "raters would know the method by its size"
                )
    stimuli = [
        Stimulus(_digest(seed, method, stem), method, stem, file)
        for method, by_stem in files.items()
        for stem, file in by_stem.items()
    ]
    return sorted(stimuli, key=lambda stimulus: stimulus.id)


def _by_stem(folder: Path) -> dict[str, Path]:
    from jaxsr.image.io import find_images

    found: dict[str, Path] = {}
    for file in find_images(folder):
        if file.stem in found:
            raise InputError(f"{folder}: {found[file.stem].name} and {file.name}; keep one")
        found[file.stem] = file
    return found


def _digest(*parts: object) -> str:
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")  # as names on disk are
    return hashlib.sha256(text).hexdigest()[:16]
