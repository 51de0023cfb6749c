"""The distribution of opinion scores, as figure 5 of the SRGAN paper draws it."""

import math
from collections.abc import Sequence

import numpy as np

from jaxsr.mos.score import Opinion

# Pixels.
_SCORE, _ROW, _MARGIN, _TEXT = 130, 110, 24, 24
_BAR, _MEAN, _GRID, _INK = "#7fa3c7", "#b3001b", "#dddddd", "#222222"


def plot(found: Sequence[Opinion]) -> np.ndarray:
    """One row per method: bars as tall as the share of each score, mean and 95 % interval in red.

    Returns:
      uint8 [H, W, 3].
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(_TEXT)
    labels = [_label(opinion) for opinion in found]
    left = 2 * _MARGIN + math.ceil(max(font.getlength(o.method) for o in found))
    right = 2 * _MARGIN + math.ceil(max(font.getlength(label) for label in labels))
    width, height = left + 5 * _SCORE + right, 2 * _MARGIN + len(found) * _ROW + _TEXT
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)

    def x(score: float) -> float:
        return left + (score - 0.5) * _SCORE

    bottom = _MARGIN + len(found) * _ROW
    for score in range(1, 6):
        draw.line([(x(score), _MARGIN), (x(score), bottom)], _GRID, 2)
        draw.text((x(score), bottom + _MARGIN / 2), str(score), _INK, font, anchor="mt")
    for i, (opinion, label) in enumerate(zip(found, labels, strict=True)):
        y = _MARGIN + (i + 0.5) * _ROW
        draw.text((left - _MARGIN, y), opinion.method, _INK, font, anchor="rm")
        draw.text((x(5.5) + _MARGIN, y), label, _INK, font, anchor="lm")
        for score, count in enumerate(opinion.counts, 1):
            if count:
                half = max(1.0, 0.45 * _ROW * count / opinion.n)
                middle = x(score)
                draw.rectangle(
                    (middle - 0.3 * _SCORE, y - half, middle + 0.3 * _SCORE, y + half), _BAR
                )
        if math.isfinite(opinion.half):
            low = max(0.5, opinion.mean - opinion.half)
            high = min(5.5, opinion.mean + opinion.half)
            draw.line([(x(low), y), (x(high), y)], _MEAN, 4)
        draw.line([(x(opinion.mean), y - 0.3 * _ROW), (x(opinion.mean), y + 0.3 * _ROW)], _MEAN, 6)
    return np.asarray(picture)


def _label(opinion: Opinion) -> str:
    half = f" ± {opinion.half:.2f}" if math.isfinite(opinion.half) else ""
    return f"{opinion.mean:.2f}{half}"
