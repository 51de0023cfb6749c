"""The two renderings of a drawing, and the places of labels."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from jaxsr.report.drawing import Box, Dot, Line, Text, to_pixels, to_svg
from jaxsr.report.labels import place_labels

SHAPES = [
    Box(10, 20, 40, 30, "#ff0000"),
    Line([(50, 5), (50, 35)], "#0000ff", 2),
    Dot(80, 20, 6, "#00ff00", "#000000", 'a "dot" & more'),
    Text(110, 20, "<II>", 16, "#000000", "middle"),
]


def test_pixels():
    image = to_pixels(SHAPES, 130, 40, zoom=2)
    assert image.shape == (80, 260, 3) and image.dtype == np.uint8

    def at(x, y):
        return tuple(image[2 * y, 2 * x])

    assert at(0, 0) == at(45, 20) == (255, 255, 255)
    assert at(11, 21) == at(39, 29) == (255, 0, 0) and at(25, 31) == at(9, 25) == (255, 255, 255)
    assert tuple(image[40, 99]) == tuple(image[40, 100]) == (0, 0, 255)
    assert at(80, 20) == (0, 255, 0) and at(88, 20) == (255, 255, 255)
    assert image[40, 2 * 74].max() < 60  # the edge
    ink = np.argwhere(image[:, 190:].min(axis=-1) < 128).mean(axis=0)
    np.testing.assert_allclose(ink / 2, (20, 110 - 95), atol=1.5)


def test_svg():
    svg = ElementTree.fromstring(to_svg(SHAPES, 130, 40, "A & B"))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.get("viewBox") == "0 0 130 40" and svg.get("aria-label") == "A & B"
    background, box, line, dot, text = svg
    assert background.get("fill") == "#ffffff"
    assert [box.get(key) for key in ("x", "y", "width", "height")] == [
        "10.0",
        "20.0",
        "30.0",
        "10.0",
    ]
    assert line.get("points") == "50.0,5.0 50.0,35.0"
    assert dot.findtext(f"{space}title") == 'a "dot" & more'
    assert text.text == "<II>" and text.get("text-anchor") == "middle"


def overlap(a, b):
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def test_labels_cover_nothing():
    """Thirty labels of a crowd of points: none covers another, a point, or leaves the frame."""
    noise = np.random.default_rng(0)
    points = [(x, y) for x, y in noise.normal((300, 200), 40, (30, 2))]
    sizes = [(w, 16.0) for w in noise.uniform(20, 110, 30)]
    dots = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    frame = (0, 0, 600, 400)
    placed = place_labels(points, sizes, frame, dots)
    for i, rect in enumerate(placed):
        assert rect[0] >= 0 and rect[1] >= 0 and rect[2] <= 600 and rect[3] <= 400
        np.testing.assert_allclose((rect[2] - rect[0], rect[3] - rect[1]), sizes[i])
        assert not any(overlap(rect, other) for other in [*dots, *placed[:i]])


def test_a_label_alone_is_at_the_right():
    (rect,) = place_labels([(50, 50)], [(30, 16)], (0, 0, 100, 100), [(45, 45, 55, 55)])
    np.testing.assert_allclose(rect, (59, 42, 89, 58))
    (rect,) = place_labels([(90, 50)], [(30, 16)], (0, 0, 100, 100), [(85, 45, 95, 55)])
    np.testing.assert_allclose(rect, (51, 42, 81, 58))
