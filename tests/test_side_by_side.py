"""The comparison pictures, on hand-made images."""

import numpy as np
from skimage.color import rgb2ycbcr

from jaxsr import evaluation
from jaxsr.evaluation import Score
from jaxsr.side_by_side import busiest, colour_of, side_by_side

FRAME, CAPTION = 2, 18


def test_colour_and_gray_results():
    rgb = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert colour_of(rgb, rgb[::-1], 2) is rgb
    gray = rgb[..., :1]
    assert np.array_equal(colour_of(gray, gray, 2), np.repeat(gray, 3, -1))


def test_luma_gets_the_colours_of_hr():
    """Of one colour all over, bicubic's chroma is that colour's."""
    hr = np.full((8, 8, 3), (200, 90, 40), np.uint8)
    sr = np.arange(100, 164, dtype=np.uint8).reshape(8, 8, 1)
    found = rgb2ycbcr(colour_of(sr, hr, 2))
    expected = np.concatenate([sr, np.broadcast_to(rgb2ycbcr(hr)[..., 1:], (8, 8, 2))], -1)
    inside = np.all((colour_of(sr, hr, 2) > 0) & (colour_of(sr, hr, 2) < 255), -1)
    assert inside.sum() > 20
    np.testing.assert_allclose(found[inside], expected[inside], atol=1)


def test_the_busiest_window():
    hr = np.zeros((40, 60, 3), np.uint8)
    hr[24:36, 40:52] = np.random.default_rng(0).integers(0, 256, (12, 12, 3))
    rows, columns = busiest(hr, 16, 2)
    assert rows.stop - rows.start == columns.stop - columns.start == 16
    assert rows.start <= 24 and rows.stop >= 36 and columns.start <= 40 and columns.stop >= 52
    for n in (rows.start, rows.stop, columns.start, columns.stop):
        assert n % 2 == 0
    small = busiest(hr[:15, :14], 16, 3)  # the whole of a small image, as far as LR goes
    assert small == (slice(0, 15), slice(0, 12))


def test_rows_columns_and_pixels():
    noise = np.random.default_rng(1)
    hr = [noise.integers(0, 256, size, np.uint8) for size in ((16, 16, 3), (12, 8, 1))]
    sr = [noise.integers(0, 256, x.shape, np.uint8) for x in hr]
    images = [evaluation.TestImage(f"{i}.png", x) for i, x in enumerate(hr)]
    scores = [Score(f"{i}.png", 30.0, 0.9, lr=x[::2, ::2], sr=x) for i, x in enumerate(sr)]
    picture = side_by_side(images, [("net", scores)], 2, side=16, zoom=2)
    heights = [2 * n + CAPTION + 2 * FRAME for n in (16, 12)]
    cell = 2 * 16 + 2 * FRAME
    assert picture.dtype == np.uint8 and picture.shape == (sum(heights), 2 * cell, 3)
    top = FRAME + CAPTION
    for column, expected in enumerate((sr[0], hr[0])):
        left = column * cell + FRAME
        shown = picture[top : top + 32 : 2, left : left + 32 : 2]
        assert np.array_equal(shown, expected)
    second = picture[heights[0] + top :, FRAME:]
    assert np.array_equal(second[0:24:2, 0:16:2], np.repeat(sr[1], 3, -1))
    assert np.all(picture[heights[0] :, 2 * (2 * 8 + 2 * FRAME) :] == 255)  # nothing there


def test_lr_comes_first():
    hr = np.full((8, 8, 3), 77, np.uint8)
    lr = np.random.default_rng(2).integers(0, 256, (4, 4, 3), np.uint8)
    score = Score("a", 30.0, 0.9, lr=lr, sr=hr)
    picture = side_by_side(
        [evaluation.TestImage("a", hr)], [("net", [score])], 2, show_lr=True, side=8, zoom=1
    )
    assert picture.shape[1] == 3 * (8 + 2 * FRAME)
    shown = picture[FRAME + CAPTION : -FRAME, FRAME : FRAME + 8]
    assert np.array_equal(shown, lr.repeat(2, 0).repeat(2, 1))
