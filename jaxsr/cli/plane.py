"""`jaxsr plane RESULT.json... -o plane.png`: methods between distortion and perception."""

import argparse
from pathlib import Path
from typing import Any

from jaxsr.cli.run import warn
from jaxsr.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Adds `plane` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "plane",
        help="draw methods on the perception-distortion plane",
        description="Draws what `eval.py --json` wrote for several methods: distortion (RMSE with "
        "the regions of the PIRM 2018 challenge, or PSNR) against perception (Perceptual Index, "
        "NIQE or LPIPS).",
    )
    parser.add_argument(
        "results",
        metavar="[LABEL=]RESULT.json",
        nargs="*",
        help="without a label, the model's name or, where two have the same, the file's",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="a .png or .html file"
    )
    parser.add_argument(
        "--curve",
        metavar="[LABEL=]RESULT.json",
        nargs="+",
        action="append",
        default=[],
        help="more files, whose points a line joins, such as those of interpolated networks",
    )
    parser.add_argument("--set", metavar="NAME", help="default: the only one that all files have")
    parser.add_argument(
        "--distortion", choices=("rmse", "psnr"), help="default: the first that all files have"
    )
    parser.add_argument("--perception", choices=("pi", "niqe", "lpips"), help="likewise")
    parser.add_argument(
        "--literature", action="store_true", help="also draw published points, in gray"
    )
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Draws the plane.

    Raises:
      InputError: for files that are no results or lack a measure, or a place to write.
    """
    from jaxsr.image.io import Picture, write_image
    from jaxsr.report.drawing import to_pixels
    from jaxsr.report.plane import HEIGHT, WIDTH, Plane, draw, page
    from jaxsr.report.published import Published, published_points
    from jaxsr.report.results import choose, labels_of, point, read_result
    from jaxsr.report.write import write_page

    out: Path = args.output
    if out.suffix.lower() not in (".png", ".html"):
        raise InputError(f"-o {out}: give a name that ends in .png or .html")
    groups = [[read_result(text) for text in group] for group in (args.results, *args.curve)]
    results = [result for group in groups for result in group]
    name, distortion, perception = choose(results, args.set, args.distortion, args.perception, warn)
    published: list[Published] = []
    if args.literature:
        published = published_points(name, distortion, perception)
        if not published or results[0].scale not in (None, 4):
            raise InputError(
                f"--literature: no published points of {distortion} and {perception} on {name} at "
                f"x{results[0].scale}; leave it out"
            )
    labels = iter(labels_of(results))
    points, *curves = [
        [point(result, next(labels), name, distortion, perception) for result in group]
        for group in groups
    ]
    plane = Plane(name, distortion, perception, points, curves, published)
    if out.suffix.lower() == ".png":
        write_image(out, Picture(to_pixels(draw(plane), WIDTH, HEIGHT)))
    else:
        write_page(out, [page(plane)])
    print(f"{out}: {plane.title}, {len(results)} result(s), {len(published)} published")
    return 0
