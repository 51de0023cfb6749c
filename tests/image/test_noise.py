"""Noise against scikit-image and scipy.stats, with fixed keys: every figure is deterministic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from skimage.util import random_noise

from jaxsr.image.noise import (
    correlated_noise,
    gaussian_noise,
    poisson,
    poisson_noise,
    poisson_quantile,
    speckle_noise,
)

RNG = np.random.default_rng(0)
X = (RNG.integers(0, 256, (8, 40, 50, 3)) / 255).astype(np.float32)
KEYS = jax.random.split(jax.random.key(0), 8)
KEY = jax.random.key(3)


@pytest.mark.parametrize("mode", ["gaussian", "speckle", "poisson"])
def test_the_distribution_is_that_of_scikit_image(mode):
    """Kolmogorov-Smirnov of 6,000 samples of the noise each, and their standard deviations."""
    if mode == "poisson":
        got = poisson_noise(KEY, X[0], 1.0)
        want = random_noise(X[0], mode, clip=False, rng=1)
    else:
        add = gaussian_noise if mode == "gaussian" else speckle_noise
        got = add(KEY, X[0], 0.1)
        want = random_noise(X[0], mode, clip=False, rng=1, var=0.1**2)
    got, want = np.asarray(got - X[0]).ravel(), (want - X[0]).ravel()
    assert stats.ks_2samp(got, want).pvalue > 0.01
    assert got.std() == pytest.approx(want.std(), rel=0.05)
    assert got.mean() == pytest.approx(0, abs=4 * want.std() / np.sqrt(want.size))


def test_gaussian_noise_is_normal_and_white():
    sigma = 0.07
    noise = np.asarray(gaussian_noise(KEY, X[0], sigma) - X[0])
    assert stats.kstest(noise.ravel() / sigma, "norm").pvalue > 0.01
    for axis in range(3):
        products = noise * np.roll(noise, 1, axis)
        assert abs(products.mean()) < 4 * sigma**2 / np.sqrt(noise.size)


@pytest.mark.parametrize("add", [gaussian_noise, speckle_noise, poisson_noise])
def test_gray_is_one_field(add):
    x = np.repeat(X[0, :, :, :1], 3, axis=-1) if add is not gaussian_noise else X[0]
    traced = jax.jit(lambda gray: add(KEY, x, 0.2, gray=gray) - x)
    gray, colour = np.asarray(traced(True)), np.asarray(traced(False))
    np.testing.assert_allclose(gray, np.repeat(gray[..., :1], 3, axis=-1), atol=2e-7)
    assert gray.std() == pytest.approx(colour.std(), rel=0.1)
    assert abs(np.corrcoef(colour[..., 0].ravel(), colour[..., 1].ravel())[0, 1]) < 0.1


def test_correlated_noise_has_the_covariance():
    """Each of the six entries to 4 standard errors."""
    C = np.array([[0.02, 0.012, 0.001], [0.012, 0.01, -0.002], [0.001, -0.002, 0.004]])
    noise = np.asarray(correlated_noise(KEY, X[0], C) - X[0]).reshape(-1, 3)
    spread = np.sqrt(np.outer(np.diag(C), np.diag(C)) * 2 / len(noise))
    assert (np.abs(np.cov(noise.T) - C) < 4 * spread).all()


@pytest.mark.parametrize("direction", [[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]])
def test_singular_covariance(direction):
    direction = np.array(direction) / 10
    noise = np.asarray(correlated_noise(KEY, X[0], np.outer(direction, direction)) - X[0])
    along = noise[..., :1] / max(direction[0], 1e-9)
    rest = noise - along * direction
    assert rest.std() <= 3e-3 * np.linalg.norm(direction) + 1e-8


# Poisson

RATES = (0.0, 0.01, 0.5, 3.0, 5.99, 6.0, 10.0, 30.0, 100.0, 256.0, 5000.0)


def test_quantiles_against_scipy():
    u = np.asarray(jax.random.uniform(KEY, (20000,)))
    got = np.asarray(jax.jit(jax.vmap(poisson_quantile, (None, 0)))(u, np.float32(RATES)))
    for rate, counts in zip(RATES, got, strict=True):
        off = np.abs(counts - np.maximum(stats.poisson.ppf(u.astype(float), np.float32(rate)), 0))
        assert off.max() <= 1 and (off > 0).mean() <= 5e-4, rate
        assert rate >= 6 or (off > 0).mean() <= 1e-4, rate


def test_probabilities():
    """Where the count changes, the cumulative probability is right to 1e-4."""
    steps = (np.arange(2**17, dtype=np.float32) + 0.5) / 2**17
    rates = np.float32([5.9, 6, 6.5, 9, 20])
    got = np.asarray(jax.jit(jax.vmap(poisson_quantile, (None, 0)))(steps, rates))
    for rate, counts in zip(rates, got, strict=True):
        n = np.arange(counts.max() + 1)
        cumulative = np.searchsorted(counts, n, side="right") / len(steps)
        np.testing.assert_allclose(cumulative, stats.poisson.cdf(n, rate), atol=1e-4)


def test_the_tails_are_finite():
    """The smallest and largest uniforms that JAX draws."""
    u = np.float32([0, 2**-23, 1 - 2**-22, 1 - 2**-23])
    rates = np.float32([0, 0.3, 5.99, 6, 256])
    got = np.asarray(jax.vmap(poisson_quantile, (None, 0))(u, rates))
    for rate, counts in zip(rates, got, strict=True):
        np.testing.assert_allclose(counts[1:], stats.poisson.ppf(u[1:], float(rate)), atol=1)
        assert 0 <= counts[0] <= counts[1]


def test_counts_have_the_moments():
    counts = np.asarray(poisson(KEY, jnp.full((100, 200), 30.0)))
    assert counts.dtype == np.float32 and (counts == np.round(counts)).all()
    assert counts.mean() == pytest.approx(30, abs=4 * np.sqrt(30 / counts.size))
    assert counts.var() == pytest.approx(30, rel=0.04)


@pytest.mark.parametrize(("distinct", "values"), [(1, 1), (2, 2), (5, 8), (8, 8), (9, 16)])
def test_counts_are_of_the_pictures_own_levels(distinct, values):
    """Clean image plus noise is a multiple of 1 / V, and of no less; what is outside is ignored."""
    x = np.full((20, 30, 1), 0.7, np.float32)
    x[:16, :20, 0] = (40 + 20 * (np.arange(320) % distinct)).reshape(16, 20) / np.float32(255)
    x[16:] = RNG.random((4, 30, 1))
    y = jax.jit(lambda h, w: poisson_noise(KEY, x, 1.0, size=(h, w)))(16, 20)
    counts = np.asarray(y)[:16, :20] * values
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    assert values == 1 or (np.round(counts) % 2 == 1).any()


def test_gray_counts_are_of_the_luma():
    x = X[0]
    levels = np.round(255 * (x.astype(float) @ [0.299, 0.587, 0.114]))
    values = 2 ** np.ceil(np.log2(len(np.unique(levels))))
    noise = np.asarray(poisson_noise(KEY, x, 0.5, gray=True) - x)
    counts = values * (noise / 0.5 + levels[..., None] / 255)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-3)


# Batches

NOISES = {
    "gaussian": lambda key, x, gray: gaussian_noise(key, x, 0.1, gray=gray),
    "speckle": lambda key, x, gray: speckle_noise(key, x, 0.1, gray=gray),
    "correlated": lambda key, x, gray: correlated_noise(key, x, 0.01 * jnp.eye(3)),
    "poisson": lambda key, x, gray: poisson_noise(key, x, 0.7, gray=gray),
}


@pytest.mark.parametrize("name", NOISES)
def test_noise_does_not_depend_on_the_batch(name):
    gray = X[:, 0, 0, 0] > 0.5
    add = NOISES[name]
    alone = np.stack([jax.jit(add)(*one) for one in zip(KEYS, X, gray, strict=True)])
    for n in (3, 8):
        together = jax.jit(jax.vmap(add))(KEYS[:n], X[:n], gray[:n])
        np.testing.assert_array_equal(together, alone[:n])
    assert (alone[0] != add(KEYS[1], X[0], gray[0])).any()
