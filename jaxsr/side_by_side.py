"""Side-by-side pictures: bicubic | model | HR of the busiest part of a validation image."""

from collections.abc import Sequence

import jax
import numpy as np

from jaxsr.evaluation import Score, TestImage
from jaxsr.image.colour import luma, rgb_to_ycbcr, to_float, to_uint8, ycbcr_to_rgb
from jaxsr.image.resize import imresize


def colour_of(sr: np.ndarray, image: TestImage, scale: int) -> np.ndarray:
    """A scored result as uint8 RGB: luma gets the chroma that bicubic makes of the LR image."""
    if sr.shape[-1] == 3:
        return sr
    if image.hr.shape[-1] == 1:
        return np.repeat(sr, 3, axis=-1)
    chroma = rgb_to_ycbcr(imresize(imresize(to_float(image.hr), 1 / scale), scale))[..., 1:]
    ycbcr = np.concatenate([to_float(sr), chroma], axis=-1)
    return np.asarray(to_uint8(ycbcr_to_rgb(jax.numpy.asarray(ycbcr))))


def busiest(hr: np.ndarray, side: int) -> tuple[slice, slice]:
    """The window of `side` pixels (or less) with the most detail, on a coarse grid."""
    y = np.asarray(luma(to_float(hr)))[..., 0]
    detail = np.abs(np.diff(y, axis=0, append=y[-1:])) + np.abs(np.diff(y, append=y[:, -1:]))
    height, width = min(side, y.shape[0]), min(side, y.shape[1])
    step = max(1, side // 4)
    windows = [
        (slice(top, top + height), slice(left, left + width))
        for top in range(0, y.shape[0] - height + 1, step)
        for left in range(0, y.shape[1] - width + 1, step)
    ]
    return max(windows, key=lambda window: detail[window].sum())


def side_by_side(
    images: Sequence[TestImage],
    columns: Sequence[tuple[str, Sequence[Score]]],
    scale: int,
    *,
    side: int = 128,
    zoom: int = 2,
) -> np.ndarray:
    """One row per image, one captioned column per method and one for HR.

    Args:
      images: the test images.
      columns: (name of the method, its scores in the order of `images`).
      side: HR pixels a side of the window that is shown.
      zoom: how often each pixel is repeated.

    Returns:
      uint8 [H, W, 3].
    """
    rows = []
    for i, image in enumerate(images):
        window = busiest(image.hr, side)
        cells = [
            (f"{name} {scores[i].psnr:.2f} dB", colour_of(scores[i].sr, image, scale))
            for name, scores in columns
        ]
        hr = np.repeat(image.hr, 3, axis=-1) if image.hr.shape[-1] == 1 else image.hr
        cells.append((f"HR {image.name}", hr))
        rows.append(np.concatenate([_cell(text, x[window], zoom) for text, x in cells], axis=1))
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    return np.concatenate(rows)


def _cell(caption: str, pixels: np.ndarray, zoom: int) -> np.ndarray:
    from PIL import Image, ImageDraw

    pixels = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    strip = Image.new("RGB", (pixels.shape[1], 18), "white")
    ImageDraw.Draw(strip).text((4, 3), caption, fill="black")
    framed = np.concatenate([np.asarray(strip), pixels])
    return np.pad(framed, ((2, 2), (2, 2), (0, 0)), constant_values=255)
