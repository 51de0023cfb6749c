"""The page of a comparison: one HTML file that needs nothing beside it."""

import base64
import json
import math
import string
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from jaxsr.image.encode import encode
from jaxsr.report.columns import Column
from jaxsr.report.compare import PROTOCOL, Measured


def page(
    columns: Sequence[Column], images: Iterable[Measured], scale: int, number: int, shown: int
) -> Iterator[str]:
    """The page, piece by piece: each picture is read, encoded and forgotten in turn.

    The pictures lie in the page as text, which the browser decodes for the image that is looked
    at; so it can hold hundreds.

    Args:
      number: of the images.
      shown: the pictures of so many images go in, as PNG; of the others only the numbers.
    """
    here = files("jaxsr.report")
    title = ", ".join(column.label for column in columns)
    scored = columns[-1].part == "HR" and any(column.part == "result" for column in columns)
    yield string.Template((here / "compare.html").read_text("utf-8")).substitute(
        title=escape(title),
        summary=escape(_summary(scale, number, shown, scored)),
        css=(here / "compare.css").read_text("utf-8"),
    )
    rows: list[dict[str, Any]] = []
    scores = []
    for i, image in enumerate(images):
        if i < shown:
            for j, pixels in enumerate(image.pictures):
                png = base64.b64encode(encode(".png", pixels, None, None)).decode()
                yield f'<script id="p{i}-{j}" type="text/plain">{png}</script>\n'
            rows.append(_described(image))
        scores.append((image.name, image.scores))
    if scored:
        yield _means(columns, scores)
        yield _per_image(columns, scores, shown)
    data = {
        "columns": [{"label": column.label, "part": column.part} for column in columns],
        "images": rows,
        "start": _start(columns),
        "errors": scored,
    }
    text = json.dumps(data).replace("<", "\\u003c")  # no label can end the script
    script = (here / "compare.js").read_text("utf-8")
    yield f'</main>\n<script id="data" type="application/json">{text}</script>\n'
    yield f"<script>\n{script}</script>\n</body>\n</html>\n"


def _summary(scale: int, number: int, shown: int, scored: bool) -> str:
    text = f"{number} image{'s' * (number != 1)}"
    if shown < number:
        text += f", pictures of the first {shown}"
    if scored:
        text += (
            f", x{scale}. PSNR and SSIM of luma against HR, protocol {PROTOCOL.name}, a border of "
            f"{scale} pixels shaved"
        )
    return text + "."


def _start(columns: Sequence[Column]) -> tuple[int, int]:
    """What is left and right of the divider at first."""
    results = [j for j, column in enumerate(columns) if column.part == "result"]
    if len(results) > 1:
        return results[0], results[-1]
    return 0, 1  # LR and the result, or the result and HR, or LR and HR


def _described(image: Measured) -> dict[str, Any]:
    height, width, channels = image.pictures[-1].shape
    return {
        "name": image.name,
        "width": width,
        "height": height,
        "gray": channels == 1,
        "scores": [None if s is None else _text(*s) for s in image.scores],
        "sizes": [f"{x.shape[1]}×{x.shape[0]} pixels" for x in image.pictures],
    }


def _text(psnr: float, ssim: float) -> str:
    return f"{_db(psnr)} dB, SSIM {ssim:.4f}"


def _db(psnr: float) -> str:
    return "∞" if math.isinf(psnr) else f"{psnr:.2f}"


_Scores = Sequence[tuple[str, Sequence[tuple[float, float] | None]]]


def _means(columns: Sequence[Column], scores: _Scores) -> str:
    """The table of means over the images, a row per result."""
    body = []
    for j, column in enumerate(columns):
        values = [row[j] for _, row in scores if row[j] is not None]
        if column.part == "result":
            psnr, ssim = (math.fsum(x) / len(values) for x in zip(*values, strict=True))
            name = f'<td data-value="{j}">{escape(column.label)}</td>'
            body.append(f"<tr>{name}{_cells(psnr, ssim)}</tr>")
    head = _header("Result", "ascending") + _header("PSNR-Y, dB") + _header("SSIM-Y")
    return _table("Means", "means", head, body)


def _per_image(columns: Sequence[Column], scores: _Scores, shown: int) -> str:
    """The table with a row per image."""
    head = _header("Image", "ascending")
    for column in columns:
        if column.part == "result":
            head += _header(f"{column.label} PSNR-Y, dB") + _header(f"{column.label} SSIM-Y")
    body = []
    for i, (name, row) in enumerate(scores):
        text = escape(name)
        attribute = ""
        if i < shown:
            text = f'<button type="button" title="show its pictures">{text}</button>'
            attribute = f' data-image="{i}"'
        cells = "".join(_cells(*s) for s in row if s is not None)
        body.append(f'<tr{attribute}><td data-value="{i}">{text}</td>{cells}</tr>')
    return _table("Images", "images", head, body)


def _header(text: str, first: str = "descending") -> str:
    """A heading that sorts; the best comes first."""
    button = f'<button type="button" title="sort">{escape(text)}</button>'
    return f'<th scope="col" data-first="{first}">{button}</th>'


def _cells(psnr: float, ssim: float) -> str:
    value = min(psnr, 1e9)  # the difference of two infinite ones would not sort
    return f'<td data-value="{value}">{_db(psnr)}</td><td data-value="{ssim}">{ssim:.4f}</td>'


def _table(title: str, name: str, head: str, body: Sequence[str]) -> str:
    rows = "\n".join(body)
    return (
        f'<section aria-labelledby="{name}-title">\n<h2 id="{name}-title">{title}</h2>\n'
        f'<div class="scroll" tabindex="0" role="group" aria-labelledby="{name}-title">\n'
        f'<table id="{name}">\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n</section>\n"
    )
