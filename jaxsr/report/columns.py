"""The columns of a comparison: which files, under which name, playing which part."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxsr.data.images import some
from jaxsr.data.layouts import base_name, hr_files, pair_files, partners
from jaxsr.data.locate import labelled
from jaxsr.errors import InputError

Part = Literal["LR", "result", "HR"]
_ORDER: tuple[Part, ...] = ("LR", "result", "HR")


@dataclass(frozen=True)
class Column:
    """One picture per image; of all columns, picture i shows image i."""

    label: str
    part: Part
    files: tuple[Path, ...]


def find_columns(
    inputs: Sequence[str],
    hr: str | None,
    lr: str | None,
    scale: int,
    warn: Callable[[str], None] = lambda line: None,
) -> tuple[list[str], list[Column]]:
    """The images' names and the columns: LR, the results in their order, HR.

    Args:
      inputs: each PATH or LABEL=PATH, a file or a folder; without a label, the folder's name or
        the file's without its extension. What is labelled LR (or LR_x4) or HR plays that part.
      hr, lr: the same for the two parts, whatever their names.
      scale: by which LR names may end (babyx4.png belongs to baby.png).
      warn: is called with a line for what is left out.

    Raises:
      InputError: for a missing path or picture, fewer than two columns, equal labels or parts.
    """
    found: list[tuple[str, Part, Path]] = []
    for text in inputs:
        label, path = labelled(text)
        if label is None:
            label = path.resolve().name if path.is_dir() else path.stem
        found.append((label, _part(label), path))
    if lr is not None:
        found.append(("LR", "LR", Path(lr)))
    if hr is not None:
        found.append(("HR", "HR", Path(hr)))
    _check(found)
    found.sort(key=lambda column: _ORDER.index(column[1]))
    if not any(path.is_dir() for _, _, path in found):
        name = next((path for _, part, path in found if part == "HR"), found[-1][2]).name
        return [name], [Column(label, part, (path,)) for label, part, path in found]
    listed = [_listed(part, path, found) for _, part, path in found]
    names = listed[-1]  # HR, or else the last result
    stems = [base_name(file.stem, scale) for file in names]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise InputError(f"{found[-1][2]}: several images are called {some(twice)}; keep one each")
    columns = []
    for (label, part, path), files in zip(found, listed, strict=True):
        matched = partners(names, files, scale)
        if missing := [names[i].name for i, same in enumerate(matched) if not same]:
            raise InputError(f"{path}: no picture of {some(missing)}, which {found[-1][2]} has")
        for file, same in zip(names, matched, strict=True):
            if len(same) > 1:
                both = " and ".join(other.name for other in same[:2])
                raise InputError(f"{path}: {both} are both of {file.name}; keep one")
        if len(files) > len(names):
            more = len(files) - len(names)
            warn(f"{path}: {more} picture(s) left out, which {found[-1][2]} does not have")
        columns.append(Column(label, part, tuple(same[0] for same in matched)))
    return [file.name for file in names], columns


def _part(label: str) -> Part:
    if re.fullmatch(r"lr([_ ]?x\d+)?", label, re.IGNORECASE):
        return "LR"
    return "HR" if label.lower() == "hr" else "result"


def _check(found: Sequence[tuple[str, Part, Path]]) -> None:
    for _, _, path in found:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; check the path")
    if len(found) < 2:
        raise InputError("a comparison needs two columns; give more results, --hr or --lr")
    for part in ("LR", "HR"):
        if len(both := [str(path) for _, p, path in found if p == part]) > 1:
            raise InputError(f"{' and '.join(both)} are both {part}; give one")
    labels = [label for label, _, _ in found]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            first, second = found[labels.index(label)][2], found[i][2]
            raise InputError(f"{first} and {second} are both called {label}; give LABEL=PATH")
    folders = [path.is_dir() for _, _, path in found]
    if any(folders) and not all(folders):
        file = found[folders.index(False)][2]
        raise InputError(f"{file}: is a file among folders; give only files, or only folders")


def _listed(part: Part, path: Path, found: Sequence[tuple[str, Part, Path]]) -> list[Path]:
    """A folder's pictures; HR may lie in HR/ inside, and share its folder with LR."""
    from jaxsr.image.io import find_images

    if part == "result":
        return find_images(path)
    if part == "HR" and sum(other == path for _, _, other in found) == 1:
        return hr_files(path)
    hr, lr = pair_files(path, path)
    return hr if part == "HR" else lr
