"""Filters against SciPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxsr.image.canvas import EDGES
from jaxsr.image.filters import blur, gaussian_blur, unsharp_mask

SCIPY_MODE = {"reflect": "mirror", "symmetric": "reflect", "replicate": "nearest", "wrap": "wrap"}
RNG = np.random.default_rng(0)
X = RNG.random((8, 20, 17, 3), np.float32)
KERNELS = RNG.random((8, 7, 7)).astype(np.float32) / 24.5  # of sum 1, about, and no symmetry


def correlated(x, kernel, edge):
    mode = SCIPY_MODE[edge]
    channels = np.moveaxis(x.astype(float), -1, 0)
    return np.stack([ndimage.correlate(c, kernel.astype(float), mode=mode) for c in channels], -1)


@pytest.mark.parametrize("edge", EDGES)
def test_blur_against_scipy(edge):
    got = blur(X[0], KERNELS[0], edge=edge)
    np.testing.assert_allclose(got, correlated(X[0], KERNELS[0], edge), atol=1e-6)


@pytest.mark.parametrize("edge", EDGES)
def test_blur_of_a_smaller_picture(edge):
    traced = jax.jit(lambda h, w: blur(X[0], KERNELS[0], edge=edge, size=(h, w)))
    for h, w in ((11, 17), (5, 9)):
        want = correlated(X[0, :h, :w], KERNELS[0], edge)
        np.testing.assert_allclose(traced(h, w)[:h, :w], want, atol=1e-6)


def test_blur_does_not_depend_on_the_batch():
    alone = np.stack([jax.jit(blur)(x, kernel) for x, kernel in zip(X, KERNELS, strict=True)])
    for n in (1, 3, 8):
        together = jax.jit(jax.vmap(blur))(X[:n], KERNELS[:n])
        np.testing.assert_array_equal(together, alone[:n])


def test_blur_has_the_gradient_of_a_correlation():
    """Inside, where the border does not matter: the correlation with the kernel turned over."""
    y = np.zeros_like(X[0])
    y[8:12, 8:10] = RNG.random((4, 2, 3))
    _, pull = jax.vjp(lambda x: blur(x, KERNELS[0]), X[0])
    want = correlated(y, KERNELS[0, ::-1, ::-1], "reflect")
    np.testing.assert_allclose(pull(y)[0], want, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (3,)])
def test_blur_refuses_other_kernels(shape):
    with pytest.raises(ValueError, match="square kernel of odd size"):
        blur(jnp.asarray(X[0]), jnp.zeros(shape))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(("sigma", "ksize"), [(1.6, 7), (0.4, 1), (8.0, 51)])
def test_gaussian_blur_against_scipy(edge, sigma, ksize):
    want = ndimage.gaussian_filter(
        X[0].astype(float), (sigma, sigma, 0), radius=(ksize // 2, ksize // 2, 0),
        mode=SCIPY_MODE[edge],
    )  # fmt: skip
    np.testing.assert_allclose(gaussian_blur(X[0], sigma, ksize, edge=edge), want, atol=1e-6)


@pytest.mark.parametrize(("sigma", "ksize"), [(1.0, 4), (0.0, 5), (1.0, 0)])
def test_gaussian_blur_refuses(sigma, ksize):
    with pytest.raises(ValueError, match="odd ksize and a positive sigma"):
        gaussian_blur(X[0], sigma, ksize)


def sharpened(x, weight, threshold):
    """Unsharp masking once more: 51 x 51, sigma 8."""
    taps = np.exp(-((np.arange(51) - 25.0) ** 2) / 128)
    taps /= taps.sum()

    def smooth(x):
        across = ndimage.correlate1d(x, taps, axis=1, mode="mirror")
        return ndimage.correlate1d(across, taps, axis=0, mode="mirror")

    x = x.astype(float)
    rest = x - smooth(x)
    mask = smooth((np.abs(rest) * 255 > threshold).astype(float))
    return mask * np.clip(x + weight * rest, 0, 1) + (1 - mask) * x


def test_unsharp_mask_against_scipy():
    """To 2e-6; no pixel of these lies so near the threshold that rounding could decide."""
    steps = np.kron(RNG.random((5, 4, 3)), np.ones((10, 12, 1))) * 0.1 + 0.4
    steps[:20, :12] += 0.4
    x = steps.astype(np.float32)
    got = jax.jit(unsharp_mask)(x)
    np.testing.assert_allclose(got, sharpened(x, 0.5, 10), atol=2e-6)
    assert 0.01 < np.abs(got - x).max() < 0.5
    np.testing.assert_allclose(
        unsharp_mask(x, weight=0.9, threshold=30.0), sharpened(x, 0.9, 30), atol=2e-6
    )


def test_unsharp_mask_leaves_what_is_smooth():
    ramp = np.tile(np.linspace(0, 0.15, 64, dtype=np.float32)[:, None, None], (1, 40, 1))
    np.testing.assert_array_equal(jax.jit(unsharp_mask)(ramp), ramp)


def test_unsharp_mask_does_not_depend_on_the_batch():
    alone = np.stack([jax.jit(unsharp_mask)(x) for x in X])
    for n in (3, 8):
        np.testing.assert_array_equal(jax.jit(jax.vmap(unsharp_mask))(X[:n]), alone[:n])
