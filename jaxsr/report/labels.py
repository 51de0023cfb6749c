"""Places for the labels of points, so that they cover neither each other nor anything else."""

import math
from collections.abc import Sequence

Rect = tuple[float, float, float, float]  # left, top, right, bottom

_DISTANCES = (9, 14, 20, 30, 42, 56, 75, 100, 130, 170, 220)
_DIRECTIONS = (0, 8, 12, 4, 14, 2, 10, 6, 15, 1, 9, 7, 13, 3, 11, 5)  # sixteenths; right, left, up


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Rect,
    obstacles: Sequence[Rect],
) -> list[Rect]:
    """For each point the nearest free place of its label; where none is free, the least covered.

    Args:
      points: x, y.
      sizes: width, height of the labels.
      frame: the labels stay inside.
      obstacles: what they must not cover, the points among them.
    """
    placed: list[Rect] = []
    for point, size in zip(points, sizes, strict=True):
        taken = [*obstacles, *placed]
        best, least = None, math.inf
        for distance in _DISTANCES:
            for direction in _DIRECTIONS:
                rect = _inside(_beside(point, size, distance, direction), frame)
                covered = sum(_overlap(rect, other) for other in taken)
                if covered < least:
                    best, least = rect, covered
            if least == 0:
                break
        assert best is not None
        placed.append(best)
    return placed


def _beside(
    point: tuple[float, float], size: tuple[float, float], distance: float, direction: int
) -> Rect:
    """The label at a distance of its edge from the point."""
    angle = direction * math.pi / 8
    x = point[0] + math.cos(angle) * (distance + size[0] / 2)
    y = point[1] + math.sin(angle) * (distance + size[1] / 2)
    return x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2


def _inside(rect: Rect, frame: Rect) -> Rect:
    dx = max(frame[0] - rect[0], 0.0) + min(frame[2] - rect[2], 0.0)
    dy = max(frame[1] - rect[1], 0.0) + min(frame[3] - rect[3], 0.0)
    return rect[0] + dx, rect[1] + dy, rect[2] + dx, rect[3] + dy


def _overlap(a: Rect, b: Rect) -> float:
    """The area that both cover."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)
