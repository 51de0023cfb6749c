"""Side-by-side pictures: what each method makes of the most detailed part of each image."""

from collections.abc import Sequence

import numpy as np

from jaxsr.evaluation import Score, TestImage
from jaxsr.image.colour import luma, rgb_to_ycbcr, to_float, to_uint8, ycbcr_to_rgb
from jaxsr.image.resize import imresize


def colour_of(sr: np.ndarray, hr: np.ndarray, scale: int) -> np.ndarray:
    """A result as uint8 RGB [H, W, 3], to look at: luma gets HR's chroma at LR's resolution."""
    if sr.shape[-1] == 3:
        return sr
    if hr.shape[-1] == 1:
        return np.repeat(sr, 3, axis=-1)
    chroma = rgb_to_ycbcr(imresize(imresize(to_float(hr), 1 / scale), scale))[..., 1:]
    ycbcr = np.concatenate([to_float(sr), chroma], axis=-1)
    return np.asarray(to_uint8(ycbcr_to_rgb(to_float(ycbcr))))


def busiest(hr: np.ndarray, side: int, scale: int) -> tuple[slice, slice]:
    """The window with the most detail, on a coarse grid.

    At most `side` pixels a side; its position and size are multiples of the scale.
    """
    y = np.asarray(luma(to_float(hr)))[..., 0]
    detail = np.abs(np.diff(y, axis=0, append=y[-1:])) + np.abs(np.diff(y, append=y[:, -1:]))
    height, width = (min(side, n) // scale * scale for n in y.shape)
    step = max(1, side // (4 * scale)) * scale
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
    show_lr: bool = False,
    side: int = 128,
    zoom: int = 2,
) -> np.ndarray:
    """One row per image, one captioned column per method and one for HR.

    Args:
      images: the test images.
      columns: (name of the method, its scores in the order of `images`).
      scale: of LR to HR.
      show_lr: begin with the pixels of LR.
      side: HR pixels a side of the window that is shown.
      zoom: how often each pixel is repeated.

    Returns:
      uint8 [H, W, 3].
    """
    rows = []
    for i, image in enumerate(images):
        window = busiest(image.hr, side, scale)
        hr = image.hr[window]
        cells = []
        if show_lr:
            lr = columns[0][1][i].lr.repeat(scale, axis=0).repeat(scale, axis=1)
            cells.append(("LR", colour_of(lr[window], hr, scale)))
        for name, scores in columns:
            sr = colour_of(scores[i].sr[window], hr, scale)
            cells.append((f"{name} {scores[i].psnr:.2f} dB", sr))
        cells.append((f"HR {image.name}", hr))
        rows.append(np.concatenate([captioned(text, x, zoom) for text, x in cells], axis=1))
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    return np.concatenate(rows)


def captioned(caption: str, pixels: np.ndarray, zoom: int) -> np.ndarray:
    """uint8 [H, W, 1 or 3], each pixel repeated `zoom` times, under a line of text, framed."""
    from PIL import Image, ImageDraw

    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    pixels = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    strip = Image.new("RGB", (pixels.shape[1], 18), "white")
    ImageDraw.Draw(strip).text((4, 3), caption, fill="black")
    framed = np.concatenate([np.asarray(strip), pixels])
    return np.pad(framed, ((2, 2), (2, 2), (0, 0)), constant_values=255)
