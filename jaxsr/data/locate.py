"""From what a user types to files on disk: a path, NAME:PATH, NAME/TRACK:PATH or HRDIR+LRDIR.

NAME is one of `jaxsr.data.datasets.SETS`; a set asked for by name is checked. A path that exists
is taken as it is, whatever its name looks like.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxsr.data.archives import DIV2K, advice
from jaxsr.data.datasets import SETS, KnownSet
from jaxsr.data.images import some
from jaxsr.data.layouts import base_name, hr_files, pair_files, pair_folders, partners
from jaxsr.errors import InputError, nearest


@dataclass(frozen=True)
class Named:
    """NAME[/TRACK]:ROOT."""

    name: str
    track: str | None
    root: Path

    @property
    def known(self) -> KnownSet:
        return SETS[self.name]

    @property
    def title(self) -> str:
        """Of the set and its track, such as "DIV2K_unknown_x4"."""
        return "_".join(filter(None, (self.known.title, self.track)))

    @property
    def scale(self) -> int | None:
        """The scale of the track."""
        return None if self.track is None else int(self.track.rpartition("_x")[2])

    def split(self, wanted: str) -> str:
        """`wanted`, or the only split of a set that has no others.

        Raises:
          InputError: if the set has several splits, and not this one.
        """
        splits = self.known.splits
        if wanted not in splits and len(splits) > 1:
            raise InputError(f"{self.known.title}: no split '{wanted}'{nearest(wanted, splits)}")
        return wanted if wanted in splits else next(iter(splits))


@dataclass(frozen=True)
class Located:
    """HR files, the LR files of each where there are any, and those in `lr_folder` of no HR."""

    hr: list[Path]
    lr: list[list[Path]] | None = None
    lr_folder: Path | None = None
    over: tuple[Path, ...] = ()


def parse(path: str | Path) -> Named | None:
    """The known set that `path` names; None if it is an ordinary path.

    Raises:
      InputError: for a name or a track that is not known.
    """
    text = str(path)
    # One letter before a colon is a drive.
    match = re.fullmatch(r"([\w-]{2,})(?:/(\w+))?:(.*)", text)
    if match is None or Path(text).exists():
        return None
    name, track, root = match[1].lower(), match[2], Path(match[3])
    if name not in SETS:
        if match[3] and root.exists():
            raise InputError(f"{text}: no set is called '{match[1]}'{nearest(name, SETS)}")
        return None
    tracks = SETS[name].tracks
    if track is not None and track not in tracks:
        known = nearest(track, tracks) if tracks else "; it has no tracks"
        raise InputError(f"{text}: {SETS[name].title} has no track '{track}'{known}")
    return Named(name, track, root)


def labelled(text: str) -> tuple[str | None, Path]:
    """The label and the path of [LABEL=]PATH; what exists as a whole is a path."""
    label, _, path = text.partition("=")
    if label.strip() and path and not os.path.exists(text):  # also of one too long for a path
        return label.strip(), Path(path)
    return None, Path(text)


def title(path: str | Path) -> str:
    """What messages and results call it: the known set and its track, or the folder."""
    named = parse(path)
    if named is not None:
        return named.title
    folders = _two_folders(path)
    if folders is None:
        return Path(path).resolve().name
    hr = folders[0].resolve()
    return hr.parent.name if hr.name == "HR" else hr.name


def home(path: str | Path) -> Path | None:
    """The folder of the images (of HR, where there are two); None if it is not on disk."""
    named, folders = parse(path), _two_folders(path)
    folder = named.root if named else folders[0] if folders else Path(path)
    folder = folder.parent if folder.is_file() else folder
    return folder if folder.is_dir() else None


def locate(path: str | Path, split: str) -> list[Path]:
    """The images of `path`: HR, or the LR of the track that it names.

    Raises:
      InputError: for a path that is missing or holds no images, or a known set that is missing
        (with where to get it), incomplete or another version.
    """
    named = parse(path)
    if named is None:
        if _two_folders(path):
            raise InputError(
                f"{path}: two folders are HR and LR; to take both train with "
                "--config.degradation=given, or prepare with --scale"
            )
        return hr_files(Path(path))
    if named.track is None:
        return _checked(named, split, _known_hr(named, split))
    return _known_lr(named, split)[1]


def locate_pairs(path: str | Path, scale: int, split: str) -> Located:
    """HR and LR files of `path` for one scale; no LR where none were given or found.

    Raises:
      InputError: as `locate`; for a track of another scale.
    """
    named = parse(path)
    if named is None:
        folders = _two_folders(path) or (Path(path).is_dir() and pair_folders(Path(path), scale))
        if not folders:
            return Located(hr_files(Path(path)))
    elif named.track is not None:
        if named.scale != scale:
            raise InputError(f"{path}: is LR of x{named.scale}, but x{scale} is asked for")
        hr = _checked(named, split, _known_hr(named, split))
        folder, lr = _known_lr(named, split)
        return _paired(hr, lr, scale, folder)
    else:
        folders = None if named.known.tracks else pair_folders(named.root, scale)
        if not folders:
            return Located(locate(path, split))
    hr, lr = pair_files(*folders)
    if named is not None:
        hr = _checked(named, split, hr)
    return _paired(hr, lr, scale, folders[1])


def _two_folders(path: str | Path) -> tuple[Path, Path] | None:
    """HRDIR+LRDIR, wherever the plus is that leaves two folders."""
    text = str(path)
    if Path(text).exists():
        return None
    for plus in re.finditer(r"\+", text):
        hr, lr = Path(text[: plus.start()]), Path(text[plus.end() :])
        if hr.is_dir() and lr.is_dir():
            return hr, lr
    return None


def _paired(hr: list[Path], lr: list[Path], scale: int, folder: Path) -> Located:
    found = partners(hr, lr, scale)
    used = {file for files in found for file in files}
    return Located(hr, found, folder, tuple(file for file in lr if file not in used))


def _candidates(named: Named, split: str, patterns: Sequence[str]) -> Iterator[Path]:
    for part in named.known.parts.get(split, ("",)):
        for pattern in patterns:
            yield named.root / pattern.format(part=part)


def _known_hr(named: Named, split: str) -> list[Path]:
    """All images of the first folder that has some of the split."""
    from jaxsr.image.io import find_images

    split, known = named.split(split), named.known
    stems = known.splits[split]
    # Last the folder itself, which may be that of the images.
    for folder in _candidates(named, split, (*known.hr, ".")):
        if not folder.is_dir():
            continue
        try:
            files = hr_files(folder) if folder == named.root else find_images(folder)
        except InputError:  # no images
            continue
        if isinstance(stems, int):
            return files
        members = set(stems)
        if mine := [file for file in files if file.stem in members]:
            return mine
    raise _missing(named, split, known.hr or ("HR",))


def _known_lr(named: Named, split: str) -> tuple[Path, list[Path]]:
    """The folder of the track, and its images of the split."""
    from jaxsr.image.io import find_images

    split, known = named.split(split), named.known
    assert named.track is not None and named.scale is not None
    stems, scale = known.splits[split], named.scale
    assert not isinstance(stems, int)  # sets with tracks have fixed names
    for folder in _candidates(named, split, known.tracks[named.track]):
        if not folder.is_dir():
            continue
        count = dict.fromkeys(stems, 0)
        mine = []
        for file in find_images(folder):
            base = base_name(file.stem, scale)
            if base in count:
                count[base] += 1
                mine.append(file)
        if not mine:
            continue
        most = max(count.values())
        if few := [stem for stem, n in count.items() if n < most]:
            raise InputError(
                f"{folder}: {known.title} {split} lacks LR of {len(few)} of {len(stems)} images: "
                f"{some(few)}; unpack its archive again"
            )
        return folder, mine
    raise _missing(named, split, known.tracks[named.track])


def _missing(named: Named, split: str, patterns: Sequence[str]) -> InputError:
    known = named.known
    folder = next(_candidates(named, split, patterns))
    archive = folder.relative_to(named.root).as_posix().replace("/", "_") + ".zip"
    if archive not in DIV2K:
        todo = f"get {known.title} from {known.home} and put the images into {folder}"
    elif (named.root / archive).is_file():
        todo = advice(named.root / archive)
    else:
        todo = f"get {archive} from {known.home} and unpack it into {named.root}"
    what = "images" if len(known.splits) == 1 else f"{split} images"
    track = "" if named.track is None else f" of {named.track}"
    return InputError(f"{named.root}: no {known.title} {what}{track}; {todo}")


def _checked(named: Named, split: str, files: list[Path]) -> list[Path]:
    """The files, if they are all of the split and the sizes are right."""
    from jaxsr.image.io import image_size

    known, folder = named.known, files[0].parent
    expected = known.splits[named.split(split)]
    if not isinstance(expected, int):
        missing = sorted(set(expected) - {file.stem for file in files})
        if missing:
            raise InputError(
                f"{folder}: {known.title} lacks {len(missing)} of {len(expected)} images: "
                f"{some(missing)}; get it again from {known.home}"
            )
        expected = len(expected)
    if len(files) != expected:
        raise InputError(
            f"{folder}: {len(files)} images, but {known.title} has {expected}; remove what does "
            f"not belong to it or get it from {known.home}"
        )
    if wrong := known.check([image_size(file) for file in files]):
        raise InputError(
            f"{folder}: not the original {known.title} but {wrong}; get it from {known.home}, or "
            f"give the folder without '{named.name}:' to take it as it is"
        )
    return files
