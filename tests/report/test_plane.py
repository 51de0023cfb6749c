"""The plane: where points, regions and curves are drawn, and the literature's numbers."""

import pytest

from jaxsr.report.drawing import Box, Dot, Line, Text
from jaxsr.report.labels import _overlap
from jaxsr.report.plane import Plane, _around, _ticks, draw
from jaxsr.report.published import PUBLISHED, published_points
from jaxsr.report.results import Point

CURVE = [Point("half", 12.0, 4.0), Point("all", 15.0, 3.0), Point("none", 11.0, 6.0)]
POINTS = [Point("a", 10.0, 6.0), Point("b", 17.0, 2.0)]


def dots(shapes):
    return {s.title.partition(":")[0]: s for s in shapes if isinstance(s, Dot)}


def test_better_is_left_and_down():
    found = dots(draw(Plane("Set5", "rmse", "pi", POINTS)))
    assert found["a"].x < found["b"].x and found["a"].y < found["b"].y
    assert found["a"].title == "a: RMSE 10.00, Perceptual Index 6.000"
    psnr = dots(
        draw(Plane("Set5", "psnr", "lpips", [Point("low", 25, 0.5), Point("high", 30, 0.1)]))
    )
    assert psnr["high"].x < psnr["low"].x and psnr["high"].y > psnr["low"].y
    assert psnr["low"].title == "low: PSNR-Y 25.00, LPIPS 0.5000"


def test_the_regions():
    """Borders at RMSE 11.5, 12.5 and 16, by the scale that two points give; none under PSNR."""
    shapes = draw(Plane("Set5", "rmse", "pi", POINTS))
    found, boxes = dots(shapes), [s for s in shapes if isinstance(s, Box)]
    per_unit = (found["b"].x - found["a"].x) / 7
    borders = [found["a"].x + per_unit * (rmse - 10) for rmse in (11.5, 12.5, 16)]
    assert [box.right for box in boxes] == pytest.approx(borders)
    assert [box.left for box in boxes[1:]] == pytest.approx(borders[:2])
    texts = [s.text for s in shapes if isinstance(s, Text)]
    assert "PIRM region 3: RMSE up to 16" in texts and "region 2" in texts
    assert not [s for s in draw(Plane("Set5", "psnr", "pi", POINTS)) if isinstance(s, Box)]
    far = draw(Plane("Set5", "rmse", "pi", [Point("a", 20, 3), Point("b", 21, 4)]))
    assert not [s for s in far if isinstance(s, Box)]


def test_a_curve_goes_from_less_to_more_distortion():
    shapes = draw(Plane("Set5", "rmse", "pi", POINTS, [CURVE]))
    found = dots(shapes)
    (line,) = (s for s in shapes if isinstance(s, Line) and s.width == 2)
    assert list(line.points) == [(found[n].x, found[n].y) for n in ("none", "half", "all")]


def test_every_label_once_and_free():
    published = published_points("", "rmse", "pi")
    plane = Plane("PIRM", "rmse", "pi", POINTS, [CURVE], published)
    shapes = draw(plane)
    names = [p.label for p in (*POINTS, *CURVE, *plane.backdrop)]
    labels = [s for s in shapes if isinstance(s, Text) and s.text in names]
    assert sorted(s.text for s in labels) == sorted(names)
    boxes = [_around(s) for s in labels]
    boxes += [(d.x - 5, d.y - 5, d.x + 5, d.y + 5) for d in dots(shapes).values()]
    for i, box in enumerate(boxes[: len(labels)]):
        assert not any(_overlap(box, other) for other in boxes[i + 1 :])
    assert any("arxiv.org/abs/1809.00219" in s.text for s in shapes if isinstance(s, Text))


@pytest.mark.parametrize(
    ("span", "ticks"),
    [((0.0, 8.0), list(range(9))), ((0.12, 0.21), [0.12, 0.14, 0.16, 0.18, 0.2]), ((9, 9.1), None)],
)
def test_ticks(span, ticks):
    found = _ticks(span)
    assert 4 <= len(found) <= 10 and span[0] <= found[0] and found[-1] <= span[1]
    if ticks:
        assert found == pytest.approx(ticks)


def test_one_point_alone():
    (dot,) = dots(draw(Plane("Set5", "rmse", "pi", [Point("a", 0.0, 3.0)]))).values()
    assert 84 < dot.x < 936 and 76 < dot.y < 588


def test_the_literature():
    """PIRM's winner by region as the challenge has it: the lowest PI below each RMSE."""
    pirm = published_points("anything", "rmse", "pi")
    assert len(pirm) == 6 and {p.set for p in pirm} == {"PIRM-SR self-validation"}
    best = [
        min((p for p in pirm if p.values["rmse"] <= limit), key=lambda p: p.values["pi"]).method
        for limit in (11.5, 12.5, 16)
    ]
    assert best == ["ESRGAN interpolation 1", "ESRGAN interpolation 2", "ESRGAN"]
    named = published_points("bsd100", "psnr", "lpips")
    assert [p.method for p in named] == ["bicubic", "SRGAN", "ESRGAN"]
    assert named[1].values == {"pi": 2.5459, "lpips": 0.1980, "psnr": 25.459}
    assert published_points("mine", "psnr", "pi") == published_points("Set5", "rmse", "niqe") == []
    assert all(p.source for p in PUBLISHED)
