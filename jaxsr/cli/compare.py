"""`jaxsr compare RESULT... -o report.html`: a page to look at results side by side."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxsr.cli.run import warn
from jaxsr.errors import InputError

_LARGE = 200 * 2**20  # bytes that a phone's browser may not take


def add_parser(subparsers: Any) -> None:
    """Adds `compare` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "compare",
        help="compare results on an HTML page",
        description="Writes one HTML file, which needs nothing beside it: a slider between any two "
        "columns, zoom and pan of all pictures together, error maps, PSNR and SSIM of luma "
        "against HR, as eval.py's protocol rgb has them, in tables that sort.",
    )
    parser.add_argument(
        "inputs",
        metavar="[LABEL=]PATH",
        nargs="+",
        help="a folder of pictures, or one; what is called LR or HR is that",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.html", type=Path, required=True, help="the page"
    )
    parser.add_argument("--hr", metavar="PATH", help="folder or picture of the truth")
    parser.add_argument("--lr", metavar="PATH", help="folder or picture of what was enlarged")
    parser.add_argument("--scale", metavar="N", type=int, default=4, help="default: 4")
    parser.add_argument(
        "--max",
        metavar="N",
        type=int,
        help="put the pictures of the first N images only into the page; all are measured",
    )
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Measures all, and writes the page: whole, or nothing.

    Raises:
      InputError: for whatever is wrong with the inputs or the place to write.
    """
    from tqdm import tqdm

    from jaxsr.cli.plan import forget_programs
    from jaxsr.report.columns import find_columns
    from jaxsr.report.compare import Measured, measure
    from jaxsr.report.page import page
    from jaxsr.report.write import write_page

    out: Path = args.output
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"-o {out}: the page is HTML; give a name that ends in .html")
    if args.max is not None and args.max < 1:
        raise InputError(f"--max: at least 1, got {args.max}")
    if not 1 <= args.scale <= 16:
        raise InputError(f"--scale: 1 to 16, got {args.scale}")
    names, columns = find_columns(args.inputs, args.hr, args.lr, args.scale, warn)
    shown = len(names) if args.max is None else min(args.max, len(names))
    seen: set[tuple[int, ...]] = set()

    def images() -> Iterable[Measured]:
        for i, name in enumerate(
            tqdm(names, unit="image", disable=len(names) < 2 or not sys.stderr.isatty())
        ):
            image = measure(name, columns, i, args.scale)
            forget_programs(image.pictures[-1].shape, seen)
            yield image

    size = write_page(out, page(columns, images(), args.scale, len(names), shown))
    print(f"{out}: {len(names)} image(s), {len(columns)} columns, {size / 2**20:.1f} MiB")
    if size > _LARGE:
        warn(f"{out} may be too large for a phone; --max N puts the pictures of N images into it")
    return 0
