"""A drawing as a list of shapes, rendered as SVG or as pixels by the same numbers.

Units are CSS pixels, y downwards. Later shapes cover earlier ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Line:
    """A polyline."""

    points: Sequence[tuple[float, float]]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Box:
    """A filled rectangle from the left upper to the right lower corner."""

    left: float
    top: float
    right: float
    bottom: float
    fill: str


@dataclass(frozen=True)
class Dot:
    """A disc with an edge; `title` is what a pointer on it is told."""

    x: float
    y: float
    radius: float
    fill: str
    edge: str
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text, y in the middle of its height."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"


Shape = Line | Box | Dot | Text


def text_width(text: str, size: float) -> float:
    """About as wide as any usual sans serif sets the text."""
    from PIL import ImageFont

    return 1.15 * ImageFont.load_default(size).getlength(text)


def to_svg(shapes: Sequence[Shape], width: int, height: int, title: str) -> str:
    """An <svg> element that scales to the width of its place and reads `title` to the blind."""
    body = "\n".join(map(_svg, shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="Helvetica, Arial, sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _svg(shape: Shape) -> str:
    match shape:
        case Line(points, colour, width):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            return (
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            )
        case Box(left, top, right, bottom, fill):
            return (
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{bottom - top:.1f}" fill="{fill}"/>'
            )
        case Dot(x, y, radius, fill, edge, title):
            return (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{edge}" '
                f'stroke-width="1.5"><title>{escape(title)}</title></circle>'
            )
        case Text(x, y, text, size, colour, anchor):
            return (
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
                f'text-anchor="{anchor}" dominant-baseline="central">{escape(text)}</text>'
            )


def to_pixels(shapes: Sequence[Shape], width: int, height: int, zoom: int = 2) -> np.ndarray:
    """uint8 [zoom height, zoom width, 3], smoothed by drawing it twice as large."""
    from PIL import Image, ImageDraw, ImageFont

    s = 2 * zoom
    picture = Image.new("RGB", (s * width, s * height), "white")
    draw = ImageDraw.Draw(picture)
    for shape in shapes:
        match shape:
            case Line(points, colour, thick):
                path = [(s * x, s * y) for x, y in points]
                draw.line(path, colour, round(s * thick), joint="curve")
            case Box(left, top, right, bottom, fill):
                draw.rectangle((s * left, s * top, s * right, s * bottom), fill)
            case Dot(x, y, radius, fill, edge):
                r = radius + 0.75  # the edge lies half inside
                box = (s * (x - r), s * (y - r), s * (x + r), s * (y + r))
                draw.ellipse(box, fill, edge, round(1.5 * s))
            case Text(x, y, text, size, colour, anchor):
                where = {"start": "lm", "middle": "mm", "end": "rm"}[anchor]
                font = ImageFont.load_default(s * size)
                draw.text((s * x, s * y), text, colour, font, anchor=where)
    return np.asarray(picture.resize((zoom * width, zoom * height), Image.Resampling.BOX))
