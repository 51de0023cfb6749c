"""Aggregating opinions: closed forms, SciPy, and the picture of the distribution."""

import math

import numpy as np
import pytest
from scipy import stats

from jaxsr.mos.answers import Answers
from jaxsr.mos.plot import plot
from jaxsr.mos.score import opinions

METHODS = {f"{method}{image}": method for method in "ab" for image in range(4)}


def raters(scores):
    """Answers of one rater per row; 0 is no answer."""
    return [
        Answers(str(i), {name: s for name, s in zip(METHODS, row, strict=True) if s})
        for i, row in enumerate(scores)
    ]


def test_mean_and_interval_are_scipys():
    scores = np.random.default_rng(0).integers(1, 6, (7, 8))
    found = {o.method: o for o in opinions(METHODS, raters(scores.tolist()))}
    for method, columns in (("a", scores[:, :4]), ("b", scores[:, 4:])):
        x, opinion = columns.ravel(), found[method]
        low, high = stats.t.interval(0.95, x.size - 1, loc=x.mean(), scale=stats.sem(x))
        assert opinion.mean == pytest.approx(x.mean(), abs=1e-12)
        assert opinion.mean - opinion.half == pytest.approx(low, abs=1e-12)
        assert opinion.mean + opinion.half == pytest.approx(high, abs=1e-12)
        assert opinion.counts == tuple(int((x == s).sum()) for s in range(1, 6))
        assert opinion.n == x.size
        # Everyone rated everything: biases cancel in the mean.
        assert opinion.unbiased_mean == pytest.approx(opinion.mean, abs=1e-12)


def test_bias_by_hand():
    """Two raters of one opinion, one point apart: without their biases nothing is left to vary."""
    strict, kind = [1, 2, 3, 4, 2, 2, 2, 2], [2, 3, 4, 5, 3, 3, 3, 3]
    a, b = (
        next(o for o in opinions(METHODS, raters([strict, kind])) if o.method == m) for m in "ab"
    )
    assert (b.mean, b.unbiased_mean, b.unbiased_half) == (2.5, 2.5, 0.0)
    assert b.half == pytest.approx(stats.t.ppf(0.975, 7) * math.sqrt(2 / 7) / math.sqrt(8))
    assert a.mean == a.unbiased_mean == 3.0 and a.unbiased_half < a.half


def test_bias_matters_where_pictures_are_left_out():
    """The strict rater rated all of a, the kind one hardly: a's plain mean is the strict one's."""
    strict, kind = [1, 2, 3, 4, 2, 2, 2, 2], [2, 0, 0, 0, 3, 3, 3, 3]
    b, a = opinions(METHODS, raters([strict, kind]))
    assert (b.method, a.method) == ("b", "a")  # the best first
    assert a.mean == 2.4
    # Biases: the strict rater is 0.5 below the mean in 5 pictures of 8, the kind one above in 5
    # of 5.
    ratings = [1 + 5 / 16, 2 + 5 / 16, 3 + 5 / 16, 4 + 5 / 16, 2 - 0.5]
    assert a.unbiased_mean == pytest.approx(np.mean(ratings))
    assert a.unbiased_half == pytest.approx(stats.t.ppf(0.975, 4) * stats.sem(ratings))


def test_one_rating_has_no_interval_and_none_no_mean():
    (only,) = opinions(METHODS, raters([[4, 0, 0, 0, 0, 0, 0, 0]]))
    assert only.mean == 4.0 and only.n == 1
    assert math.isnan(only.half) and math.isnan(only.unbiased_half)
    assert plot([only]).dtype == np.uint8


def test_plot_shows_shares():
    """The blue of each score's bar, in pixels of height, is its share of the ratings."""
    (o,) = opinions({"p": "m", "q": "m"}, [Answers("1", {"p": 1, "q": 5}), Answers("2", {"p": 1})])
    picture = plot([o]).astype(int)
    blue = (picture[..., 2] - picture[..., 0] > 60).sum(axis=0)
    columns = np.flatnonzero(blue)
    (gap,) = np.flatnonzero(np.diff(columns) > 1)
    # The mean's interval crosses the first bar as a red line.
    first, last = np.median(blue[columns[: gap + 1]]), np.median(blue[columns[gap + 1 :]])
    assert first == pytest.approx(2 * last, abs=6)
