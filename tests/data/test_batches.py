"""Crops are checked against images whose pixels say where they are: (row, column, image)."""

import threading

import numpy as np
import pytest
from scipy import stats

from jaxsr.data import make_batch as whole_batch
from jaxsr.data import make_plan, prefetch
from jaxsr.errors import InputError

PATCH = 4
SIZES = [(20, 30), (9, 9), (4, 4), (5, 40)]


def make_batch(*args, **options):
    """The HR patches alone."""
    return whole_batch(*args, **options).hr


def located(number, h, w):
    rows, columns = np.mgrid[:h, :w]
    return np.stack([rows, columns, np.full_like(rows, number)], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def plan():
    return make_plan([located(i, h, w) for i, (h, w) in enumerate(SIZES)], PATCH)


def turned(patch):
    """All 8 flips and quarter turns of a patch."""
    rotations = [np.rot90(patch, k) for k in range(4)]
    return rotations + [r[::-1] for r in rotations]


def test_an_epoch_visits_every_image_by_its_area(plan):
    counts = [max(1, round(h * w / PATCH**2)) for h, w in SIZES]
    assert plan.epoch_length == sum(counts)
    for epoch in range(2):
        patches = np.concatenate(
            [
                make_batch(plan, 3, step, batch=1)
                for step in range(epoch * sum(counts), (epoch + 1) * sum(counts))
            ]
        )
        images = patches[:, 0, 0, 2]
        np.testing.assert_array_equal(np.bincount(images), counts)
        assert (np.diff(images.astype(int)) < 0).any()  # shuffled


def test_every_patch_is_a_turned_window_of_its_image(plan):
    for patch in make_batch(plan, 0, 0, batch=200):
        number = patch[0, 0, 2]
        top, left = patch[..., 0].min(), patch[..., 1].min()
        window = plan.hr[number][top : top + PATCH, left : left + PATCH]
        assert any(np.array_equal(patch, t) for t in turned(window))


def test_without_augmentation_patches_are_upright(plan):
    for patch in make_batch(plan, 0, 0, batch=50, augment=False):
        top, left, number = patch[0, 0]
        window = plan.hr[number][top : top + PATCH, left : left + PATCH]
        np.testing.assert_array_equal(patch, window)


def test_positions_and_turns_are_uniform():
    image = located(0, PATCH + 4, PATCH + 2)
    patches = make_batch(make_plan([image], PATCH), 1, 0, batch=4000)
    corner = patches[..., :2].min(axis=(1, 2))
    positions = np.bincount(corner[:, 0].astype(int) * 3 + corner[:, 1], minlength=15)
    assert stats.chisquare(positions).pvalue > 0.01
    relative = patches[..., :2] - corner[:, None, None]
    kinds = np.array(turned(located(0, PATCH, PATCH)[..., :2]))
    same = (relative[:, None] == kinds).all(axis=(2, 3, 4))
    assert (same.sum(axis=1) == 1).all()
    assert stats.chisquare(same.sum(axis=0)).pvalue > 0.01


def test_position_and_turn_are_independent():
    image = located(0, PATCH + 1, PATCH)
    patches = make_batch(make_plan([image], PATCH), 5, 0, batch=2000)
    low = patches[..., 0].min(axis=(1, 2)) == 0
    transposed = patches[:, 0, 0, 1] != patches[:, 0, 1, 1]
    table = np.array(
        [
            [(low & transposed).sum(), (low & ~transposed).sum()],
            [(~low & transposed).sum(), (~low & ~transposed).sum()],
        ]
    )
    assert stats.chi2_contingency(table).pvalue > 0.01


@pytest.mark.parametrize("hosts", [2, 3])
def test_slices_of_hosts_make_the_global_batch(plan, hosts):
    whole = make_batch(plan, 7, 11, batch=6)
    n = 6 // hosts
    parts = [make_batch(plan, 7, 11, batch=6, local=slice(h * n, h * n + n)) for h in range(hosts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_same_records_whatever_the_batch_size(plan):
    # 97 records reach beyond an epoch, so that one batch spans two.
    assert plan.epoch_length < 97
    one = make_batch(plan, 2, 0, batch=97)
    many = np.concatenate([make_batch(plan, 2, step, batch=1) for step in range(97)])
    np.testing.assert_array_equal(one, many)


def test_restart_and_threads_change_nothing(plan):
    def make(step):
        return make_batch(plan, 4, step, batch=5)

    whole = list(prefetch(make, 0, 20))
    np.testing.assert_array_equal(list(prefetch(make, 0, 20, depth=8, threads=4)), whole)
    np.testing.assert_array_equal(list(prefetch(make, 13, 20)), whole[13:])


def test_seeds_and_epochs_differ(plan):
    n = plan.epoch_length
    first, again, other = (make_batch(plan, s, 0, batch=n) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    order = [make_batch(plan, 0, epoch, batch=n)[:, 0, 0, 2] for epoch in (0, 1)]
    assert (order[0] != order[1]).any()


def test_order_is_that_of_the_published_philox(plan):
    """Raw Philox4x64-10 words of Random123's known-answer test, so that runs stay repeatable."""
    raw = np.random.Philox(
        key=np.array([0, 0], np.uint64), counter=np.array([2**64 - 1] * 4, np.uint64)
    ).random_raw(4)
    # NumPy counts up before it draws, so the all-ones counter wraps to Random123's zero counter.
    known = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert raw.tolist() == known


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1, "batch": 1}, "seed is -1"),
        ({"seed": 2**63, "batch": 1}, r"seed is 9223372036854775808; .* 0 to 2\*\*63 - 1"),
        ({"seed": 0, "batch": 0}, "batch is 0"),
    ],
)
def test_refuses_bad_numbers(plan, arguments, message):
    with pytest.raises(InputError, match=message):
        make_batch(plan, step=0, **arguments)


def test_plan_refuses_small_images():
    with pytest.raises(InputError, match=r"image 0 is 7x3, smaller than the patch of 4x4"):
        make_plan([located(0, 3, 7)], PATCH)
    with pytest.raises(InputError, match="no images"):
        make_plan([], PATCH)


def test_prefetch_raises_at_its_turn():
    def make(step):
        if step == 2:
            raise RuntimeError("third")
        return step

    steps = prefetch(make, 0, 5, depth=3)
    assert [next(steps), next(steps)] == [0, 1]
    with pytest.raises(RuntimeError, match="third"):
        next(steps)


def test_prefetch_stays_within_its_depth_and_stops_when_closed():
    made, before = [], threading.active_count()

    def make(step):
        made.append(step)
        return step

    steps = prefetch(make, 0, 1000, depth=2)
    assert next(steps) == 0
    steps.close()
    assert max(made) <= 2
    assert threading.active_count() == before
