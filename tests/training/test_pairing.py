"""LR and HR of a step: each patch by itself, whatever batch it is in."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.data import Batch
from jaxsr.degradations import bicubic
from jaxsr.image.filters import unsharp_mask
from jaxsr.metrics import get_protocol
from jaxsr.training import pairing
from jaxsr.training.config import DataConfig
from jaxsr.training.pairing import make_pairing

RGB, LUMA = get_protocol("rgb"), get_protocol("y-uint8")
RNG = np.random.default_rng(0)
KEYS = jax.random.split(jax.random.key(0), 6)
HR: Any = RNG.integers(0, 256, (6, 16, 16, 3), np.uint8)
BATCH = Batch(np.arange(6, dtype=np.uint32), HR)


def noisy(keys, hr):
    """Every second pixel and noise of the image's own key."""
    lr = hr[:, ::2, ::2].astype(jnp.float32) / 255
    return lr + jax.vmap(lambda key: 0.1 * jax.random.normal(key, lr.shape[1:]))(keys)


def test_plainly_the_protocols_pair():
    for protocol in (RGB, LUMA):
        got = make_pairing(protocol, bicubic(2), 2)(KEYS, BATCH)
        want = protocol.pair(bicubic(2), KEYS, HR)
        jax.tree.map(np.testing.assert_array_equal, got, want)


@pytest.mark.parametrize(
    "data", [DataConfig(border=4, mix={"rgb": 0.5, "cutblur": 0.5}, sharpen=True), DataConfig()]
)
def test_a_patch_knows_nothing_of_its_batch(data):
    pair = jax.jit(make_pairing(RGB, noisy, 2, data))
    together = pair(KEYS, BATCH)
    order = np.array([4, 0, 5])
    fewer = pair(KEYS[order], jax.tree.map(lambda x: x[order], BATCH))
    for a, b in zip(together, fewer, strict=True):
        np.testing.assert_allclose(a[order], b, rtol=0, atol=1e-6)


def test_the_border_is_degraded_and_cut_off():
    """All of the LR grid's positions occur, and LR lies where HR does."""
    rows, columns = np.mgrid[:16, :16].astype(np.uint8)
    hr = np.stack([rows, columns, 0 * rows], -1)[None].repeat(200, 0)
    keys = jax.random.split(jax.random.key(1), 200)
    pair = make_pairing(RGB, lambda keys, hr: hr[:, ::4, ::4], 4, DataConfig(border=4))
    lr, target = (np.asarray(x) for x in pair(keys, Batch(np.arange(200, dtype=np.uint32), hr)))
    assert lr.shape == (200, 2, 2, 3) and target.shape == (200, 8, 8, 3)
    np.testing.assert_array_equal(target[:, ::4, ::4], lr)
    corners = np.rint(255 * target[:, 0, 0, :2]).astype(int)
    assert {tuple(c) for c in corners} == {(i, j) for i in (0, 4, 8) for j in (0, 4, 8)}


def test_the_target_is_sharpened_and_lr_is_not():
    lr, hr = make_pairing(RGB, bicubic(2), 2, DataConfig(sharpen=True))(KEYS, BATCH)
    plain_lr, plain_hr = RGB.pair(bicubic(2), KEYS, HR)
    np.testing.assert_array_equal(lr, plain_lr)
    np.testing.assert_allclose(hr, jax.vmap(unsharp_mask)(plain_hr), atol=1e-6)


def test_lr_of_files_is_taken_as_it_is():
    lr: Any = RNG.integers(0, 256, (6, 8, 8, 3), np.uint8)
    got = make_pairing(RGB, None, 2)(KEYS, BATCH._replace(lr=lr))
    np.testing.assert_array_equal(np.rint(255 * np.asarray(got[0])), lr)
    np.testing.assert_array_equal(np.rint(255 * np.asarray(got[1])), HR)
    mix = DataConfig(mix={"rgb": 1.0})
    shuffled = make_pairing(RGB, None, 2, mix)(KEYS, BATCH._replace(lr=lr))
    orders = []
    for plain, mixed in zip(got, shuffled, strict=True):
        same = np.asarray(plain)[..., None] == np.asarray(mixed)[..., None, :]
        orders.append(same.all(axis=(1, 2)))  # [N, channel, channel]
    np.testing.assert_array_equal(*orders)
    np.testing.assert_array_equal(orders[0].sum(axis=2), 1)
    with pytest.raises(ValueError, match="either a degradation or LR"):
        make_pairing(RGB, None, 2)(KEYS, BATCH)


def test_no_two_draws_of_a_patch_share_a_key(monkeypatch):
    seen = []

    def noted(function):
        def note(keys, *arguments):
            seen.append(jax.random.key_data(keys))
            return function(keys, *arguments)

        return note

    for name in ("choose", "shuffle_rgb", "mixup", "cutblur"):
        monkeypatch.setattr(pairing, name, noted(getattr(pairing, name)))
    mix = {"rgb": 0.3, "mixup": 0.3, "cutblur": 0.3}
    make_pairing(RGB, noted(noisy), 2, DataConfig(mix=mix))(KEYS, BATCH)
    words = np.concatenate([*seen, jax.random.key_data(KEYS)])
    assert len(seen) == 5 and len(np.unique(words, axis=0)) == 6 * len(KEYS)
