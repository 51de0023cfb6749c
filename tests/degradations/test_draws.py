"""What the random presets draw: within the published ranges, with the published frequencies."""

import math

import jax
import numpy as np
import pytest
from scipy import stats

from jaxsr.degradations import get_degradation
from jaxsr.degradations.branches import draw_all, words_of
from jaxsr.degradations.step import name_of

N = 2000


def drawn_by(name, scale):
    """The steps, and what each drew for N images."""
    steps = get_degradation(name, scale).steps
    words = np.random.default_rng(4).integers(0, 2**32, (N, words_of(steps)), np.uint32)
    return steps, jax.device_get(jax.jit(jax.vmap(lambda w: draw_all(steps, w)))(words))


def frequencies(indices, weights):
    """Chi-square: the indices come as often as the weights say."""
    weights = np.asarray(list(weights), np.float64)
    counts = np.bincount(indices, minlength=len(weights))
    assert stats.chisquare(counts, N * weights / weights.sum()).pvalue > 0.001


def uniform(values, low, high):
    assert values.min() >= low and values.max() <= high
    assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 0.001


def test_realesrgan():
    steps, drawn = drawn_by("realesrgan", 4)
    _, blur, resize, noise, _, jpeg, blur2, resize2, noise2, _, last, _ = drawn
    frequencies(blur["kind"], [0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1])
    frequencies((blur["size"] - 7) // 2, [1] * 8)
    uniform(blur["sigma_x"], 0.2, 3)
    kinds = np.asarray(list(steps[1].kinds))[blur["kind"]]
    aniso = np.char.endswith(kinds, "aniso")
    assert (blur["sigma_y"] != blur["sigma_x"])[aniso].all()
    assert (blur["sigma_y"] == blur["sigma_x"])[~aniso].all() and not blur["theta"][~aniso].any()
    assert abs(blur["theta"]).max() <= math.pi
    frequencies(np.int64(blur["beta_generalized"] >= 1), [0.5, 0.5])
    uniform(blur["beta_generalized"][blur["beta_generalized"] < 1], 0.5, 1)
    uniform(blur["beta_generalized"][blur["beta_generalized"] >= 1], 1, 4)
    assert abs(np.mean(blur["beta_plateau"] == 1) - 0.5) < 0.05  # a range that begins at 1
    small = blur["size"] < 13
    uniform(blur["omega"][small], math.pi / 3, math.pi)
    uniform(blur["omega"][~small], math.pi / 5, math.pi)

    factor = resize["factor"]
    frequencies(np.digitize(factor, [1, 1 + 1e-7]), [0.7, 0.1, 0.2])
    uniform(factor[factor < 1], 0.15, 1)
    uniform(factor[factor > 1], 1, 1.5)
    frequencies(resize["mode"], [1, 1, 1])
    frequencies(np.digitize(resize2["factor"], [1, 1 + 1e-7]), [0.4, 0.3, 0.3])
    assert resize2["factor"].min() >= 0.3 and resize2["factor"].max() <= 1.2

    for step, values, sigma, scale in ((3, noise, 30, 3), (8, noise2, 25, 2.5)):
        assert [name_of(steps[step].kinds, i) for i in (0, 1)] == ["gaussian", "poisson"]
        frequencies(values["kind"], [0.5, 0.5])
        uniform(values["sigma"], 1, sigma)
        uniform(values["scale"], 0.05, scale)
        frequencies(np.int64(values["gray"]), [0.6, 0.4])
    uniform(jpeg["quality"], 30, 95)
    assert jpeg["on"].all() and blur["on"].all()
    frequencies(np.int64(blur2["on"]), [0.2, 0.8])
    uniform(blur2["sigma_x"], 0.2, 1.5)

    frequencies(last["option"], [0.5, 0.5])
    sinc = last["steps"][0][1]
    frequencies(np.int64(sinc["on"]), [0.2, 0.8])
    uniform(sinc["omega"], math.pi / 3, math.pi)


def test_bsrgan():
    _, (choice, last) = drawn_by("bsrgan", 4)
    frequencies(choice["option"], [0.25, 0.75])
    halve = choice["steps"][0][0]
    assert (halve["factor"] == 0.5).all()
    frequencies(halve["mode"], [0.5, 1 / 6, 1 / 6, 1 / 6])
    for s, shuffle in ((2, choice["steps"][0][2]), (4, choice["steps"][1][0])):
        order = shuffle["order"]
        assert (np.sort(order) == np.arange(6)).all()
        place = np.argsort(order)
        assert (place[:, 2] < place[:, 3]).all()  # the two that resize
        for i in (0, 1, 4, 5):
            frequencies(place[:, i], [1] * 6)
        frequencies(place[:, 2], [5, 4, 3, 2, 1, 0.001])  # the first of two of six
        blur, _, down, _, noise, jpeg = shuffle["steps"]
        frequencies(blur["kind"], [0.5, 0.5])
        frequencies((blur["size"] - 7) // 2, [1] * 10)
        iso = blur["kind"] == 0
        uniform(blur["sigma_x"][iso], 0.01, 2 + 0.2 * s)
        uniform(blur["sigma_x"][~iso] ** 2, 0, 4 + s)
        uniform(blur["sigma_y"][~iso] ** 2, 0, 4 + s)
        frequencies(down["option"], [0.75, 0.25])
        uniform(1 / down["steps"][0][0]["factor"], 1, 2 * s)
        uniform(down["steps"][1][0]["sigma_x"], 0.1, 0.6 * s)
        assert (down["steps"][1][0]["dx"] == 0.5 * (s - 1)).all()
        noise = noise["steps"][0][0]
        frequencies(np.int64(noise["sigma"]) - 2, [1] * 24)
        grays = np.where(noise["kind"] == 1, 2, np.int64(noise["gray"]))
        frequencies(grays, [0.4, 0.4, 0.2])  # in colour, gray, correlated
        eigenvalues = np.linalg.eigvalsh(noise["covariance"]) / (25 / 255) ** 2
        assert eigenvalues.min() > -1e-6 and eigenvalues.max() < 2
        trace = np.trace(noise["covariance"], axis1=1, axis2=2) / (25 / 255) ** 2
        assert stats.kstest(trace, _irwin_hall).pvalue > 0.001
        frequencies(np.int64(jpeg["on"]), [0.1, 0.9])
        frequencies(np.int64(jpeg["quality"]) - 30, [1] * 66)
    frequencies(np.int64(last["quality"]) - 30, [1] * 66)


def _irwin_hall(x):
    """The distribution of the sum of three uniform numbers."""
    x = np.asarray(x)[..., None]
    k = np.arange(4)
    terms = (-1.0) ** k * np.array([1, 3, 3, 1]) * np.maximum(x - k, 0) ** 3
    return terms.sum(-1) / 6


@pytest.mark.parametrize(("scale", "width"), [(2, 2), (3, 3), (4, 4)])
def test_srmd(scale, width):
    _, (blur, _, _, noise) = drawn_by("srmd", scale)
    iso = blur["kind"] == 0
    uniform(blur["sigma_x"][iso], 0.2, width)
    first, second = (blur[f"sigma_{axis}"][~iso].astype(np.float64) ** 2 for axis in "xy")
    uniform(first, 0.1, 10)
    uniform((second - 0.1) / (first - 0.1), 0, 1 + 1e-4)
    uniform(blur["theta"][~iso], 0, math.pi)
    uniform(noise["sigma"], 0, 75)
