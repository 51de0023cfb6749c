"""PSNR-B against its formula pixel by pixel."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxsr.metrics import psnr
from jaxsr.metrics.blocking import psnr_b

NOISE = np.random.default_rng(6)
SMOOTH: Any = (
    128
    + 60 * np.sin(np.arange(44)[:, None, None] / 7 + np.arange(53)[:, None] / 9 + np.arange(3))
    + NOISE.normal(0, 3, (44, 53, 3))
).astype(np.uint8)


def jpeg(pixels: np.ndarray) -> Any:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=10)
    return np.asarray(Image.open(file))


def by_hand(sr: np.ndarray, hr: np.ndarray, block: int, shave: int) -> float:
    """Of one channel, levels [H, W], pair after pair."""
    h, w = sr.shape
    pairs: dict[bool, list[float]] = {True: [], False: []}
    for i in range(shave, h - shave):
        for j in range(shave, w - shave):
            if i + 1 < h - shave:
                pairs[(i + 1) % block == 0].append((sr[i, j] - sr[i + 1, j]) ** 2)
            if j + 1 < w - shave:
                pairs[(j + 1) % block == 0].append((sr[i, j] - sr[i, j + 1]) ** 2)
    edges, within = np.mean(pairs[True]), np.mean(pairs[False])
    weight = np.log2(block) / np.log2(min(h, w) - 2 * shave)
    inner = slice(shave, -shave or None)
    error = np.mean((sr - hr)[inner, inner] ** 2) + weight * max(0, edges - within)
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize(("block", "shave"), [(8, 0), (8, 3), (16, 2)])
def test_the_formula(block, shave):
    sr, hr = (x.astype(float) for x in (jpeg(SMOOTH), SMOOTH))
    want = np.mean([by_hand(sr[..., c], hr[..., c], block, shave) for c in range(3)])
    got = psnr_b(jpeg(SMOOTH)[None], SMOOTH[None], block=block, shave=shave)
    np.testing.assert_allclose(got, [want], atol=1e-3)


def test_blocks_are_charged_and_nothing_else():
    blocks = np.stack([jpeg(SMOOTH), np.clip(SMOOTH + NOISE.integers(0, 9, SMOOTH.shape), 0, 255)])
    sr, hr = blocks.astype(np.uint8), np.stack([SMOOTH, SMOOTH])
    lost = np.asarray(psnr(sr, hr, luma=True) - psnr_b(sr, hr, luma=True))
    assert lost[0] > 0.5 and 0 <= lost[1] < 0.1
    flat = np.zeros_like(sr)
    assert np.isposinf(psnr_b(flat, flat, luma=True)).all()


def test_refusals():
    with pytest.raises(ValueError, match="blocks of 8 have no edges in 8x12"):
        psnr_b(np.zeros((1, 12, 16, 1)), np.zeros((1, 12, 16, 1)), shave=2)
    with pytest.raises(ValueError, match="differ in shape"):
        psnr_b(np.zeros((1, 12, 16, 1)), np.zeros((1, 16, 12, 1)))
