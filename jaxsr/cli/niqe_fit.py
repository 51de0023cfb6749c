"""`jaxsr niqe-fit FOLDER -o model.npz`: a model of pristine photographs for NIQE."""

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds `niqe-fit` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "niqe-fit",
        help="fit NIQE's model to pristine photographs",
        description="Fits NIQE's model to photographs without flaws, for `eval.py "
        "--metrics=niqe --niqe-model=FILE`. Values by different models do not compare: those of "
        "the literature are by the authors' own, fitted to 125 photographs.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="of photographs")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help=".npz")
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Fits a model to all images of the folder and tells how many there were.

    Raises:
      InputError: for an image that cannot be read or is smaller than a block, too few of them,
        an output that cannot be written.
    """
    from tqdm import tqdm

    from jaxsr.data.images import to_8bit
    from jaxsr.errors import InputError
    from jaxsr.image.io import find_images, image_size, read_image
    from jaxsr.metrics.niqe import fit_niqe_model, save_niqe_model
    from jaxsr.metrics.niqe_features import BLOCK

    if args.output.suffix.lower() != ".npz" or not args.output.parent.is_dir():
        raise InputError(f"-o {args.output}: name a new .npz file in a folder that exists")
    files = find_images(args.folder)
    for file in files:
        h, w = image_size(file)
        if min(h, w) < BLOCK:
            raise InputError(f"{file}: {w}x{h} pixels are less than a block of {BLOCK}x{BLOCK}")
    pictures = (to_8bit(read_image(f).pixels) for f in tqdm(files, unit="image", disable=None))
    name = f"fitted to {len(files)} images of {args.folder.resolve().name}"
    save_niqe_model(args.output, fit_niqe_model(pictures, name))
    print(f"{args.output}: {name}")
    return 0
