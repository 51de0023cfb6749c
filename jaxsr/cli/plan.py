"""Which file each input becomes, planned before any work and then done one by one."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from jaxsr.errors import InputError


def plan(
    inputs: list[Path], out: str, rename: Callable[[Path], str] = lambda source: source.name
) -> tuple[list[tuple[Path, Path]], int]:
    """Every (source, target), and the number of folders that gave none, reported on stderr.

    Args:
      inputs: image files and folders of them.
      out: the target of one file, if it has a suffix; else a folder.
      rename: the name in the folder.

    Raises:
      InputError: when outputs would overwrite each other or an input.
    """
    from jaxsr.image.io import EXTENSIONS, find_images

    output = Path(out)
    one_file = len(inputs) == 1 and not inputs[0].is_dir()
    to_file = bool(output.suffix) and not output.is_dir() and not out.endswith(("/", os.sep))
    if not one_file and to_file and output.suffix.lower() in EXTENSIONS:
        raise InputError(f"-o {output}: names a file, but the inputs need a folder; give a folder")
    sources: list[Path] = []
    failed = 0
    for path in inputs:
        try:
            sources += find_images(path) if path.is_dir() else [path]
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
    originals = {source.resolve() for source in sources}
    jobs: dict[Path, Path] = {}
    for source in sources:
        target = output if to_file and one_file else output / rename(source)
        if target in jobs:
            raise InputError(
                f"{jobs[target]} and {source} would both be written to {target}; "
                "run them with different -o"
            )
        if target.resolve() in originals:
            raise InputError(f"{target}: would overwrite an input; choose another -o")
        jobs[target] = source
    return [(source, target) for target, source in jobs.items()], failed


def each(jobs: list[tuple[Path, Path]], failed: int, do: Callable[[Path, Path], str]) -> int:
    """Does every job of `plan`; one that fails is reported on stderr and the others go on.

    Args:
      failed: how many inputs failed before.
      do: (source, target) -> the line that tells what was done.

    Returns:
      The exit status: 0 when all were done, 1 when some failed, 2 when all did.
    """
    from tqdm import tqdm

    done = 0
    for source, target in tqdm(
        jobs, unit="image", disable=len(jobs) < 2 or not sys.stderr.isatty()
    ):
        try:
            line = do(source, target)
        except InputError as error:
            tqdm.write(f"error: {error}", file=sys.stderr)
            failed += 1
        else:
            tqdm.write(line, file=sys.stdout)
            done += 1
    if not failed:
        return 0
    return 1 if done else 2


def make_folder(folder: Path) -> None:
    """The folder of an output; InputError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot make this folder: {error.strerror}; choose another -o"
        ) from None


_PROGRAMS = 32  # input shapes whose compiled programs are kept at a time


def forget_programs(shape: tuple[int, ...], seen: set[tuple[int, ...]]) -> None:
    """Drops the compiled programs when there are many: JAX keeps one per shape for ever."""
    import jax

    if shape not in seen and len(seen) == _PROGRAMS:
        jax.clear_caches()
        seen.clear()
    seen.add(shape)
