"""A contact sheet: one HR image, what a random degradation makes of it, and what it drew."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations import Pipeline
from jaxsr.side_by_side import busiest

_LINE = 13  # pixels of height


def contact_sheet(
    hr: np.ndarray,
    degrade: Pipeline,
    key: jax.Array,
    *,
    draws: int = 11,
    columns: int = 4,
    side: int = 192,
    zoom: int = 2,
) -> np.ndarray:
    """HR's most detailed part and several LR images of it, enlarged so that pixels show.

    Args:
      hr: uint8 [H, W, 1 or 3], multiples of the scale.
      key: draw i has the key `fold_in(key, i)`.
      draws: number of LR images.
      columns: pictures in a row.
      side: HR pixels a side of the part.
      zoom: how often an HR pixel is repeated, more often in a part of less than `side` pixels.

    Returns:
      uint8 [H, W, 3].
    """
    hr = hr[busiest(hr, side, degrade.scale)]
    lr = np.asarray(degrade(key, jnp.broadcast_to(hr, (draws, *hr.shape))))
    cells = [(hr, [f"HR {hr.shape[1]}x{hr.shape[0]}"])]
    for i, x in enumerate(lr):
        lines = degrade.describe(jax.random.fold_in(key, i))
        cells.append((x.repeat(degrade.scale, axis=0).repeat(degrade.scale, axis=1), lines))
    height, width = max(len(lines) for _, lines in cells), side * zoom
    zoom = width // max(hr.shape[:2])
    pictures = [_captioned(x, lines, height, zoom, width) for x, lines in cells]
    blank = np.full_like(pictures[0], 255)
    pictures += [blank] * (-len(pictures) % columns)
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _captioned(
    pixels: np.ndarray, lines: list[str], height: int, zoom: int, width: int
) -> np.ndarray:
    """Each pixel `zoom` times, above `height` lines of text, framed in white, `width` wide."""
    from PIL import Image, ImageDraw

    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).repeat(zoom, axis=0)
    pixels = pixels.repeat(zoom, axis=1)
    beside = width - pixels.shape[1]
    pixels = np.pad(pixels, ((0, 0), (0, beside), (0, 0)), constant_values=255)
    strip = Image.new("RGB", (width, _LINE * height + 4), "white")
    draw = ImageDraw.Draw(strip)
    for i, line in enumerate(lines):
        draw.text((2, 2 + _LINE * i), line, fill="black")
    framed = np.concatenate([pixels, np.asarray(strip)])
    return np.pad(framed, ((3, 3), (3, 3), (0, 0)), constant_values=255)
