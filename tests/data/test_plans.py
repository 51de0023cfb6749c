"""Mixtures, detail, turns and pairs: where the patches of a plan come from.

Images tell where they are: each pixel is (row, column, number of the image).
"""

import numpy as np
import pytest
from scipy import stats

from jaxsr.data import cut, draw_crops, make_batch, make_plan
from jaxsr.data.batches import below, detail, words
from jaxsr.errors import InputError


def located(number, h, w):
    rows, columns = np.mgrid[:h, :w]
    return np.stack([rows, columns, np.full_like(rows, number)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "weights", [(1.0, 1.0), (0.1, 0.9), (0.9, 0.1), (2.0, 7.0), (1e308, 1e308)]
)
def test_weights_are_the_shares_of_an_epoch(weights):
    """And no image is visited less than once per tile, or much more often than its fellows."""
    images = [located(i, 8, 8 * (i + 1)) for i in range(5)]
    groups = [0, 0, 0, 1, 1]
    plan = make_plan(images, 8, groups=groups, weights=weights)
    visits = np.bincount(plan.visits, minlength=5)
    share = np.array([visits[:3].sum(), visits[3:].sum()]) / len(plan.visits)
    np.testing.assert_allclose(
        share, np.divide(weights, max(weights)) / np.divide(weights, max(weights)).sum(), atol=0.02
    )
    tiles = np.array([1, 2, 3, 4, 5])
    assert (visits >= tiles).all()
    for group in (slice(0, 3), slice(3, 5)):
        wanted = tiles[group] / tiles[group].sum() * visits[group].sum()
        assert (abs(visits[group] - wanted) < 1).all()
    # Drawn in an order of its own, without replacement.
    whole = make_batch(plan, 0, 0, batch=plan.epoch_length).hr[:, 0, 0, 2]
    np.testing.assert_array_equal(np.bincount(whole, minlength=5), visits)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1.0, 0.0), "give positive numbers"),
        ((1.0, np.nan), "give positive numbers"),
        (
            (1.0, 1e-9),
            r"weights are \(1.0, 1e-09\): .* of 1e\+09 patches; give weights that are less",
        ),
        ((1.0, 1e-300), "give weights that are less far apart"),
        ((1e-308, 1e308), "give weights that are less far apart"),
        ((1.0,), "1 weights for 2 groups"),
        ((1.0, 1.0, 1.0), "3 weights for 3 groups of images, of which 2 have any"),
    ],
)
def test_refuses_weights(weights, message):
    with pytest.raises(InputError, match=message):
        make_plan([located(0, 4, 4)] * 2, 4, groups=[0, 1], weights=weights)


def test_flat_patches_are_drawn_again():
    """Left half flat, right half noise: uniform crops see much of the flat half."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 200, 3), np.uint8)
    noise[:, :100] = 7
    plain = make_batch(make_plan([noise], 8), 0, 0, batch=200).hr
    choosy = make_plan([noise], 8, min_detail=0.2)
    picked = make_batch(choosy, 0, 0, batch=200).hr
    flat = [sum(detail(p) < 0.2 for p in patches) for patches in (plain, picked)]
    assert flat[0] > 60 and flat[1] <= 2  # half of 200; and half to the power of ten
    alone = np.concatenate([make_batch(choosy, 0, k, batch=1).hr for k in range(20)])
    np.testing.assert_array_equal(alone, picked[:20])
    wholly_flat = make_plan([np.zeros((9, 9, 3), np.uint8)], 8, min_detail=0.2)
    assert make_batch(wholly_flat, 0, 0, batch=2).hr.shape == (2, 8, 8, 3)


def test_detail_by_hand():
    """Columns of 0 and 255 in turn: rows vary by half the range, columns not at all."""
    stripes = np.zeros((6, 8, 3), np.uint8)
    stripes[:, ::2] = 255
    assert detail(stripes) == detail(stripes.transpose(1, 0, 2)) == 0.5
    assert detail(np.full((5, 5, 3), 9, np.uint8)) == 0


def test_upright_patches_are_flipped_from_left_to_right_only():
    plan = make_plan([located(0, 8, 30)], 8)
    patches = make_batch(plan, 1, 0, batch=400, upright=True).hr
    assert (np.diff(patches[..., 0].astype(int), axis=1) == 1).all()  # rows run downwards
    step = np.diff(patches[..., 1].astype(int), axis=2)
    assert (abs(step) == 1).all()
    assert stats.binomtest(int((step[:, 0, 0] == 1).sum()), 400).pvalue > 0.01


@pytest.fixture(scope="module")
def pairs():
    """Two HR images and three LR images, which hold the positions of their HR's blocks."""
    hr = [located(0, 24, 36), located(1, 40, 20)]
    hr_of = [1, 0, 1]
    lr = [hr[i][::4, ::4].copy() for i in hr_of]
    lr[2][..., 2] = 2
    return make_plan(hr, 8, lr=lr, hr_of=hr_of, scale=4)


def test_pairs_lie_on_each_other(pairs):
    batch = make_batch(pairs, 3, 0, batch=300)
    assert batch.lr is not None and batch.lr.shape == (300, 2, 2, 3)
    np.testing.assert_array_equal(np.unique(batch.lr[..., 2]), [0, 1, 2])
    np.testing.assert_array_equal(batch.hr[:, 0, 0, 2], np.minimum(batch.lr[:, 0, 0, 2], 1))
    # Each LR pixel has the smallest row and column of its 4x4 block of HR, however it is turned.
    blocks = batch.hr.reshape(300, 2, 4, 2, 4, 3).min(axis=(2, 4))
    np.testing.assert_array_equal(blocks[..., :2], batch.lr[..., :2])
    assert (batch.hr[..., :2].min(axis=(1, 2)) % 4 == 0).all()


def test_pairs_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="LR image 0 is 2x3, its HR image 8x8 is not x4"):
        make_plan([located(0, 8, 8)], 8, lr=[located(0, 3, 2)], hr_of=[0], scale=4)


def test_crops_are_drawn_apart_from_the_pixels(pairs):
    """Many at once, as for a call of several steps, or one by one."""
    many = draw_crops(pairs, 5, range(100, 140))
    for k in (0, 17, 39):
        one = draw_crops(pairs, 5, range(100 + k, 101 + k))
        for a, b in zip(many, one, strict=True):
            np.testing.assert_array_equal(a[k : k + 1], b)
    two = [make_batch(pairs, 5, step, batch=20).hr for step in (5, 6)]
    np.testing.assert_array_equal(cut(pairs, many).hr, np.concatenate(two))


def test_words_are_those_of_philox_by_row():
    """NumPy's generator counts up before it draws: row r is the block of counter r + 1."""
    table = words(3, 9, 2, 0, 50)
    np.testing.assert_array_equal(words(3, 9, 2, 20, 10), table[20:30])
    key, counter = np.array([9, 3 + 2 * 256], np.uint64), np.array([20, 0, 0, 0], np.uint64)
    np.testing.assert_array_equal(
        np.random.Philox(key=key, counter=counter).random_raw(4), table[20]
    )
    assert (
        len({tuple(words(k, s, n, 0, 1)[0]) for k in (0, 1) for s in (0, 1) for n in (0, 1)}) == 8
    )


def test_below_is_uniform_up_to_its_limit():
    drawn = below(words(1, 0, 0, 0, 5000).ravel(), 7)
    assert stats.chisquare(np.bincount(drawn, minlength=7)).pvalue > 0.01
    extreme = np.array([0, 2**64 - 1], np.uint64)
    np.testing.assert_array_equal(below(extreme, 2**31 - 1), [0, 2**31 - 2])
