"""How the toolboxes lay out test sets and pairs on disk, and what they call the LR files.

Folders as EDSR, SwinIR and ATD, BasicSR and mmagic, RCAN and RDN, SelfExSR, IMDN and DBPN have
them, and names from `babyx2.png` to `img_001_SRF_2_LR.png` and `0001x4w3.png`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxsr.errors import InputError

# (HR, LR) in a set's folder at scale n; both must exist.
_PAIRS = (
    ("HR", "LR_x{n}"),
    ("HR", "LR_bicubic/X{n}"),  # EDSR
    ("GTmod12", "LRbicx{n}"),  # BasicSR
    ("GTmod{n}", "LRbicx{n}"),
    ("x{n}", "../../LR/LRBI/{set}/x{n}"),  # RCAN: the set's folder is HR/Set5
    ("image_SRF_{n}", "image_SRF_{n}"),  # SelfExSR
    (".", "LR_x{n}"),
    (".", "LR_bicubic/X{n}"),
    (".", "../{set}_LR/x{n}"),  # IMDN
    (".", "../{set}_LR_x{n}"),  # DBPN
)
# Where HR is if there is no LR. SelfExSR's HR for x4 is the whole image.
_HR = ("HR", ".", "original", "GTmod12", "image_SRF_4")


def hr_files(path: Path) -> list[Path]:
    """The image file at `path`, or the HR images of the folder `path`, whatever its layout.

    Raises:
      InputError: for a path that is missing or a folder without images.
    """
    from jaxsr.image.io import find_images

    if path.is_file():
        return [path]
    for name in _HR:
        if _has_images(path / name):
            return _of_kind(path / name, "HR")
    return find_images(path / "HR" if (path / "HR").is_dir() else path)  # says what is missing


def pair_folders(path: Path, scale: int) -> tuple[Path, Path] | None:
    """The folders of HR and of LR for one scale in a set's folder; None if there are no pairs."""
    for hr, lr in _PAIRS:
        # SelfExSR's x2 pairs are not x2: of Urban100, HR is half the image and LR a quarter.
        if hr.startswith("image_SRF") and scale == 2:
            continue
        fields = {"n": scale, "set": path.resolve().name}
        folders = path / hr.format(**fields), path.resolve() / lr.format(**fields)
        if _has_images(folders[0]) and folders[1].is_dir():
            # With "..", a name that the reader of a message need not resolve.
            return folders[0], path / lr.format(**fields) if ".." not in lr else folders[1]
    return None


def pair_files(hr: Path, lr: Path) -> tuple[list[Path], list[Path]]:
    """The images of two folders; of one folder that holds both, those of either kind.

    Raises:
      InputError: for a folder that is missing or has no images.
    """
    return _of_kind(hr, "HR"), _of_kind(lr, "LR")


def partners(hr: Sequence[Path], lr: Sequence[Path], scale: int) -> list[list[Path]]:
    """For each HR file its LR files: those of the same stem, else of the same `base_name`."""
    by_stem: dict[str, list[Path]] = {}
    by_base: dict[str, list[Path]] = {}
    for file in lr:
        by_stem.setdefault(file.stem, []).append(file)
        by_base.setdefault(base_name(file.stem, scale), []).append(file)
    return [by_stem.get(file.stem) or by_base.get(base_name(file.stem, scale), []) for file in hr]


def base_name(stem: str, scale: int) -> str:
    """What the stems of an image's HR and LR files share.

    `baby` of babyx2, baby_x2, baby_HR_x2, baby_LRBI_x2; `img_001` of img_001_SRF_2_LR; `0001` of
    0001x4m and of 0001x4w3. Other scales than `scale` belong to the name.
    """
    suffix = rf"(_HR|_LR(BI|BD|DN)?|_SRF_{scale}|_?x{scale}(BD|DN|[md]|w\d?)?)+$"
    return re.sub(suffix, "", stem, flags=re.IGNORECASE) or stem


def _has_images(folder: Path) -> bool:
    from jaxsr.image.io import find_images

    try:
        return bool(find_images(folder))
    except InputError:
        return False


def _of_kind(folder: Path, kind: str) -> list[Path]:
    """The images of a folder; where HR and LR share it, those of one kind."""
    from jaxsr.image.io import find_images

    files = find_images(folder)
    marks = [mark for file in files if (mark := re.search(r"_(HR|LR)$", file.stem))]
    if len({mark[1] for mark in marks}) < 2:
        return files
    return [file for file in files if file.stem.endswith(f"_{kind}")]
