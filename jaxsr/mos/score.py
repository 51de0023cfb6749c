"""Mean opinion scores of many raters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxsr.mos.answers import Answers


@dataclass(frozen=True)
class Opinion:
    """What the raters say of one method.

    Attributes:
      mean: of all its ratings.
      half: half the width of the 95 % confidence interval of `mean`, by Student's t over the
        ratings as if they were independent; nan for fewer than two.
      unbiased_mean, unbiased_half: the same of the ratings less their raters' biases.
      counts: how many ratings gave 1, 2, 3, 4 and 5.
    """

    method: str
    mean: float
    half: float
    unbiased_mean: float
    unbiased_half: float
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        """Number of ratings."""
        return sum(self.counts)


def opinions(methods: Mapping[str, str], raters: Sequence[Answers]) -> list[Opinion]:
    """The methods that were rated, best mean first.

    A rater's bias is the mean, over the pictures rated, of the score less the picture's mean over
    the raters (ITU-T P.913, clause 12.4). Where everyone rates everything, the means stay as they
    are and the intervals shrink; where raters left pictures out, the means change, too.

    Args:
      methods: the method of each picture.
      raters: their scores; every id is one of `methods`.
    """
    rater, names, score = [], [], []
    for i, answers in enumerate(raters):
        rater += [i] * len(answers.scores)
        names += answers.scores.keys()
        score += answers.scores.values()
    _, picture = np.unique(names, return_inverse=True)
    score = np.asarray(score, np.float64)
    bias = _group_means(rater, score - _group_means(picture, score)[picture])
    unbiased = score - bias[rater]
    made_by = np.asarray([methods[name] for name in names])
    found = []
    for method in dict.fromkeys(methods.values()):
        of_it = made_by == method
        if of_it.any():
            counts = np.bincount(score[of_it].astype(int), minlength=6)[1:]
            found.append(
                Opinion(
                    method,
                    *_interval(score[of_it]),
                    *_interval(unbiased[of_it]),
                    tuple(counts.tolist()),
                )
            )
    return sorted(found, key=lambda opinion: -opinion.mean)


def _group_means(group: Sequence[int] | np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.bincount(group, x) / np.bincount(group)


def _interval(x: np.ndarray) -> tuple[float, float]:
    """The mean, and half the width of its 95 % confidence interval."""
    from scipy.stats import t

    n = len(x)
    if n < 2:
        return float(x.mean()), math.nan
    return float(x.mean()), float(t.ppf(0.975, n - 1) * x.std(ddof=1) / math.sqrt(n))
