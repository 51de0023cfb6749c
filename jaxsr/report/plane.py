"""The perception-distortion plane (Blau and Michaeli, https://arxiv.org/abs/1711.06077), drawn.

Better is to the left and down: lower RMSE or, on an axis that runs backwards, higher PSNR; lower
Perceptual Index, NIQE or LPIPS.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from jaxsr.report.drawing import Box, Dot, Line, Shape, Text, text_width, to_svg
from jaxsr.report.labels import Rect, place_labels
from jaxsr.report.published import Published
from jaxsr.report.results import DISTORTION, PERCEPTION, Point

WIDTH, HEIGHT = 960, 680
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 76, 936, 588  # of the frame
_INK, _GRID, _QUIET = "#222222", "#e3e3e3", "#606060"
_OURS, _CURVE = "#1f5fa8", "#b5422c"
# RMSE up to which a result is in region 1, 2 and 3 of the PIRM 2018 challenge.
_REGIONS = (11.5, 12.5, 16.0)
_SHADES = ("#dcefe0", "#fbf1d3", "#f7e0dc")


@dataclass(frozen=True)
class Plane:
    """What is drawn.

    Attributes:
      set_name: of the test set.
      distortion, perception: names of measures, as in `DISTORTION` and `PERCEPTION`.
      points: of methods.
      curves: of points that belong together, such as a network between two others.
      published: points of the literature.
    """

    set_name: str
    distortion: str
    perception: str
    points: Sequence[Point]
    curves: Sequence[Sequence[Point]] = ()
    published: Sequence[Published] = ()

    @property
    def title(self) -> str:
        return f"{PERCEPTION[self.perception]} and {DISTORTION[self.distortion]} on {self.set_name}"

    @property
    def backdrop(self) -> list[Point]:
        """The published points."""
        return [
            Point(p.method, p.values[self.distortion], p.values[self.perception])
            for p in self.published
        ]

    @property
    def source(self) -> str:
        """Of the published points, in one line."""
        if not self.published:
            return ""
        return f"gray: published, on {self.published[0].set}. {self.published[0].source}"


def draw(plane: Plane) -> list[Shape]:
    """The shapes of the plane, WIDTH x HEIGHT."""
    curved = [p for curve in plane.curves for p in curve]
    points = [*plane.points, *curved, *plane.backdrop]
    xs, ys = [p.distortion for p in points], [p.perception for p in points]
    across, down = _span(xs), _span(ys)
    backwards = plane.distortion == "psnr"

    def x(value: float) -> float:
        part = (value - across[0]) / (across[1] - across[0])
        return _LEFT + (1 - part if backwards else part) * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        return _BOTTOM - (value - down[0]) / (down[1] - down[0]) * (_BOTTOM - _TOP)

    shapes: list[Shape] = []
    taken: list[Rect] = []
    if plane.distortion == "rmse":
        areas, names = _regions(across, x)
        shapes += [*areas, *_axes(across, down, x, y), *names]
        taken += map(_around, names)
    else:
        shapes += _axes(across, down, x, y)
    for curve in plane.curves:
        path = [(x(p.distortion), y(p.perception)) for p in _ordered(curve)]
        shapes.append(Line(path, _CURVE, 2))
        taken += _along(path)
    ours = len(plane.points)
    places = [(x(p.distortion), y(p.perception)) for p in points]
    taken += [(u - 6, v - 6, u + 6, v + 6) for u, v in places]
    sizes = [(text_width(p.label, 14), 17.0) for p in points]
    frame = (_LEFT + 2, _TOP + 2, _RIGHT - 2, _BOTTOM - 2)
    for i, rect in enumerate(place_labels(places, sizes, frame, taken)):
        colour = _OURS if i < ours else _CURVE if i < ours + len(curved) else _QUIET
        middle = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        end = _nearest(rect, places[i])
        if math.dist(end, places[i]) > 16:
            shapes.append(Line([places[i], end], "#bbbbbb"))
        shapes.append(Text(*middle, points[i].label, 14, colour, "middle"))
    # The literature lies behind, where a point is one of its own.
    for i in reversed(range(len(points))):
        told = f"{points[i].label}: {_both(plane, points[i])}"
        if i < ours + len(curved):
            colour = _OURS if i < ours else _CURVE
            shapes.append(Dot(*places[i], 5, colour, "#ffffff", told))
        else:
            shapes.append(Dot(*places[i], 5, "#ffffff", _QUIET, told))
    return [*shapes, *_captions(plane)]


def _ordered(curve: Sequence[Point]) -> list[Point]:
    """From less to more distortion, whatever order the files came in."""
    return sorted(curve, key=lambda p: p.distortion)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The range of an axis: that of the values, and a tenth more at both ends."""
    low, high = min(values), max(values)
    more = 0.1 * (high - low) or 0.05 * abs(high) or 1.0
    return low - more, high + more


def _ticks(span: tuple[float, float]) -> list[float]:
    """Round values, four to ten of them."""
    raw = (span[1] - span[0]) / 8
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = math.ceil(span[0] / step), math.floor(span[1] / step)
    return [i * step for i in range(first, last + 1)]


def _axes(
    across: tuple[float, float],
    down: tuple[float, float],
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> list[Shape]:
    shapes: list[Shape] = []
    for value in _ticks(across):
        shapes.append(Line([(x(value), _TOP), (x(value), _BOTTOM)], _GRID))
        shapes.append(Text(x(value), _BOTTOM + 16, f"{value:.6g}", 13, _INK, "middle"))
    for value in _ticks(down):
        shapes.append(Line([(_LEFT, y(value)), (_RIGHT, y(value))], _GRID))
        shapes.append(Text(_LEFT - 8, y(value), f"{value:.6g}", 13, _INK, "end"))
    corners = [(_LEFT, _TOP), (_RIGHT, _TOP), (_RIGHT, _BOTTOM), (_LEFT, _BOTTOM), (_LEFT, _TOP)]
    return [*shapes, Line(corners, _QUIET)]


def _regions(
    across: tuple[float, float], x: Callable[[float], float]
) -> tuple[list[Shape], list[Text]]:
    """The parts of PIRM's regions that are seen, and their names where there is room."""
    areas: list[Shape] = []
    names: list[Text] = []
    low = -math.inf
    for i, (high, shade) in enumerate(zip(_REGIONS, _SHADES, strict=True), 1):
        left, right = x(max(low, across[0])), x(min(high, across[1]))
        low = high
        if left >= right:
            continue
        areas.append(Box(left, _TOP, right, _BOTTOM, shade))
        for name in (f"PIRM region {i}: RMSE up to {high:g}", f"region {i}", str(i)):
            if text_width(name, 13) < right - left:
                names.append(Text((left + right) / 2, _TOP + 14, name, 13, _QUIET, "middle"))
                break
    return areas, names


def _captions(plane: Plane) -> list[Shape]:
    better = "higher is better: to the left" if plane.distortion == "psnr" else "lower is better"
    unit = " in dB" if plane.distortion == "psnr" else ""
    below = f"{DISTORTION[plane.distortion]}{unit} ({better})"
    above = f"{PERCEPTION[plane.perception]} (lower is better)"
    return [
        Text(16, 24, plane.title, 19, _INK),
        Text(16, 56, above, 14, _INK),
        Text(_RIGHT, _BOTTOM + 42, below, 14, _INK, "end"),
        Text(16, HEIGHT - 20, plane.source, 12, _QUIET),
    ]


def _around(text: Text) -> Rect:
    half = text_width(text.text, text.size) / 2
    return text.x - half, text.y - text.size / 2, text.x + half, text.y + text.size / 2


def _along(path: Sequence[tuple[float, float]]) -> list[Rect]:
    """Small squares on a polyline, which labels keep away from."""
    rects = []
    for (x0, y0), (x1, y1) in itertools.pairwise(path):
        steps = max(1, round(math.dist((x0, y0), (x1, y1)) / 6))
        for i in range(steps):
            x, y = x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps
            rects.append((x - 3, y - 3, x + 3, y + 3))
    return rects


def _nearest(rect: Rect, point: tuple[float, float]) -> tuple[float, float]:
    """The point of a rectangle that is nearest to another."""
    return min(max(point[0], rect[0]), rect[2]), min(max(point[1], rect[1]), rect[3])


def _both(plane: Plane, p: Point) -> str:
    distortion, perception = _numbers(plane, p)
    return (
        f"{DISTORTION[plane.distortion]} {distortion}, {PERCEPTION[plane.perception]} {perception}"
    )


def _numbers(plane: Plane, p: Point) -> tuple[str, str]:
    digits = 4 if plane.perception == "lpips" else 3
    return f"{p.distortion:.2f}", f"{p.perception:.{digits}f}"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }}
body {{ margin: 0 auto; max-width: 60rem; padding: 1rem; }}
svg {{ display: block; width: 100%; min-width: 40rem; height: auto; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: 1rem; }}
th, td {{ padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8886; }}
th:first-child, td:first-child {{ text-align: left; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<div class="scroll" tabindex="0" role="group" aria-label="Drawing">
{svg}</div>
<table>
<thead><tr><th scope="col">Method</th><th scope="col">{distortion}</th>
<th scope="col">{perception}</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def page(plane: Plane) -> str:
    """A page with the plane and its numbers, which needs nothing beside it."""
    rows = []
    listed = [*plane.points, *(p for curve in plane.curves for p in _ordered(curve))]
    named = [(p.label, p) for p in listed]
    named += [(f"{p.label} (published, {plane.published[0].set})", p) for p in plane.backdrop]
    for label, p in named:
        cells = "".join(f"<td>{number}</td>" for number in _numbers(plane, p))
        rows.append(f"<tr><td>{escape(label)}</td>{cells}</tr>")
    return _PAGE.format(
        title=escape(plane.title),
        svg=to_svg(draw(plane), WIDTH, HEIGHT, plane.title),
        distortion=DISTORTION[plane.distortion],
        perception=PERCEPTION[plane.perception],
        rows="\n".join(rows),
    )
