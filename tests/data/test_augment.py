"""Augmentations against NumPy on the drawn numbers, and against their published distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsr.data.augment import choose, cutblur, mixup, shuffle_rgb
from jaxsr.image.resize import imresize

N = 400
KEYS = jax.random.split(jax.random.key(0), N)
RNG = np.random.default_rng(0)
HR = RNG.random((N, 12, 8, 3), np.float32)
LR = RNG.random((N, 6, 4, 3), np.float32)
ALL, NONE = jnp.ones(N, bool), jnp.zeros(N, bool)


def test_each_patch_gets_one_or_none():
    chosen = choose(KEYS, {"mixup": 0.5, "rgb": 0.2})
    got = np.stack([chosen["mixup"], chosen["rgb"]])
    assert got.sum(axis=0).max() == 1
    assert stats.binomtest(int(got[0].sum()), N, 0.5).pvalue > 0.01
    assert stats.binomtest(int(got[1].sum()), N, 0.2).pvalue > 0.01
    alone = choose(KEYS[7:8], {"mixup": 0.5, "rgb": 0.2})
    assert bool(alone["mixup"][0]) == bool(got[0, 7])


def test_channels_change_places_together():
    use = ALL.at[::2].set(False)
    hr, lr = (np.asarray(x) for x in jax.jit(shuffle_rgb)(KEYS, use, HR, LR) if x is not None)
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    counts = np.zeros(6, int)
    for i in range(N):
        fits = [np.array_equal(HR[i][..., o], hr[i]) for o in orders]
        assert fits == [np.array_equal(LR[i][..., o], lr[i]) for o in orders] and sum(fits) == 1
        if i % 2 == 0:
            assert fits[0]
        else:
            counts += fits
    assert stats.chisquare(counts).pvalue > 0.01
    assert shuffle_rgb(KEYS[:1], ALL[:1], HR[:1], None)[1] is None


def test_mixup_is_a_mean_with_the_next_patch():
    lr, hr = (np.asarray(x) for x in jax.jit(mixup)(KEYS, ALL, LR, HR))
    partner = np.roll(HR, -1, axis=0)
    v = ((hr - partner) * (HR - partner)).sum((1, 2, 3)) / ((HR - partner) ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(hr, v[:, None, None, None] * (HR - partner) + partner, atol=1e-5)
    want = v[:, None, None, None] * LR + (1 - v[:, None, None, None]) * np.roll(LR, -1, axis=0)
    np.testing.assert_allclose(lr, want, atol=1e-5)
    assert stats.kstest(v, stats.beta(1.2, 1.2).cdf).pvalue > 0.01
    same = mixup(KEYS, NONE, jnp.asarray(LR), jnp.asarray(HR))
    np.testing.assert_array_equal(same[1], HR)


@pytest.fixture(scope="module")
def large():
    """LR of 20x30, of values that HR does not have, and HR twice as large."""
    return 2 + RNG.random((N, 20, 30, 1), np.float32), RNG.random((N, 40, 60, 1), np.float32)


def test_cutblur_pastes_or_spares_a_rectangle(large):
    lr, hr = large
    got = np.asarray(jax.jit(cutblur)(KEYS, ALL, lr, hr))
    sharp = np.asarray(imresize(hr, 0.5, edge="replicate"))
    pasted = np.isclose(got, sharp, atol=1e-6)[..., 0]
    np.testing.assert_array_equal(got[~pasted], lr[~pasted])
    share = pasted.mean(axis=(1, 2))
    inside = share < 0.5 + 1e-9  # 0.7 by 0.7 is 0.49
    assert stats.binomtest(int(inside.sum()), N).pvalue > 0.01
    rectangle = np.where(inside[:, None, None], pasted, ~pasted)
    rows, columns = rectangle.any(axis=2).sum(axis=1), rectangle.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(rows * columns, rectangle.sum(axis=(1, 2)))  # no holes
    # floor(20 r) and floor(30 r) of r ~ N(0.7, 0.01): half of them a pixel below 14 and 21.
    assert np.isin(rows, [13, 14]).all() and np.isin(columns, [20, 21]).mean() > 0.98
    first = rectangle.any(axis=2).argmax(axis=1)[rows == 14]
    assert stats.chisquare(np.bincount(first, minlength=7)).pvalue > 0.01


def test_cutblur_elsewhere_changes_nothing(large):
    lr, hr = large
    np.testing.assert_array_equal(cutblur(KEYS, NONE, lr, hr), lr)
