"""Patches cut on the device against those that NumPy cuts on the host."""

import functools

import jax
import numpy as np
import pytest

from jaxsr.data import cut, draw_crops, make_plan
from jaxsr.data.device import cut_on_device, pack, resident

RNG = np.random.default_rng(0)
IMAGES = [
    RNG.integers(0, 256, (h, w, 3), np.uint8)
    for h, w in [(9, 30), (20, 8), (8, 8), (12, 11), (8, 9)]
]


def test_the_atlas_holds_every_image_once():
    atlas = pack(IMAGES)
    assert atlas.pixels.shape[1] == 30
    used = np.zeros(atlas.pixels.shape[:2], int)
    for image, (row, column) in zip(IMAGES, atlas.corner.tolist(), strict=True):
        h, w = image.shape[:2]
        np.testing.assert_array_equal(atlas.pixels[row : row + h, column : column + w], image)
        used[row : row + h, column : column + w] += 1
    assert used.max() == 1
    assert used.mean() > 0.5  # shelves are packed


@pytest.mark.parametrize("paired", [False, True])
def test_the_same_patches_as_on_the_host(paired):
    plan = make_plan(IMAGES, 8)
    if paired:
        hr_of = [3, 0, 1, 0]
        lr = [RNG.integers(0, 256, (IMAGES[i].shape[0] // 4, IMAGES[i].shape[1] // 4, 3), np.uint8)
              for i in hr_of]  # fmt: skip
        hr = [image[: image.shape[0] // 4 * 4, : image.shape[1] // 4 * 4] for image in IMAGES]
        plan = make_plan(hr, 8, lr=lr, hr_of=hr_of, scale=4)
    crops = draw_crops(plan, 1, range(64))
    assert len(np.unique(crops.turn)) == 8
    want = cut(plan, crops)
    program = jax.jit(functools.partial(cut_on_device, patch=8, scale=plan.scale))
    got = program(jax.device_put(resident(plan)), crops)
    jax.tree.map(np.testing.assert_array_equal, tuple(got), tuple(want))
