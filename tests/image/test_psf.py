"""Blur kernels against SciPy, moments and the formulas in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, special

from jaxsr.image import psf

SHAPES = {
    "gaussian": lambda q, beta: np.exp(-q / 2),
    "generalized_gaussian": lambda q, beta: np.exp(-(q**beta) / 2),
    "plateau": lambda q, beta: 1 / (1 + q**beta),
}


def make(name, size, sigma_x, sigma_y, theta, beta, **more):
    extra = () if name == "gaussian" else (beta,)
    return getattr(psf, name)(size, sigma_x, sigma_y, theta, *extra, **more)


def grid(size):
    """(x, y) of every pixel, [2, size, size]; x to the right, y down."""
    return np.mgrid[:size, :size][::-1] - size // 2


def covariance(sigma_x, sigma_y, theta):
    c, s = np.cos(theta), np.sin(theta)
    R = np.array([[c, -s], [s, c]])
    return R @ np.diag([sigma_x**2, sigma_y**2]) @ R.T


@pytest.mark.parametrize("name", SHAPES)
def test_formula(name):
    """Against the inverse of the covariance matrix in float64, to 1e-6."""
    arguments = 2.5, 1.2, 0.7, 1.6
    z = grid(15)
    q = np.einsum("iyx,ij,jyx->yx", z, np.linalg.inv(covariance(*arguments[:3])), z)
    want = SHAPES[name](q, arguments[3])
    np.testing.assert_allclose(make(name, 15, *arguments), want / want.sum(), atol=1e-6)


def test_moments_of_a_wide_gaussian():
    arguments = 3.0, 1.5, -2.2
    kernel = np.asarray(psf.gaussian(51, *arguments), float)
    z = grid(51)
    np.testing.assert_allclose((kernel * z).sum((1, 2)), 0, atol=1e-5)
    second = np.einsum("yx,iyx,jyx->ij", kernel, z, z)
    np.testing.assert_allclose(second, covariance(*arguments), atol=1e-4)
    # y points down, so that a positive angle turns the long axis clockwise
    assert psf.gaussian(9, 3.0, 1.0, 0.5)[6, 7] > psf.gaussian(9, 3.0, 1.0, -0.5)[6, 7]


def test_the_blur_of_bd():
    taps = np.array([0.044147, 0.117223, 0.210611, 0.256038, 0.210611, 0.117223, 0.044147])
    np.testing.assert_allclose(psf.gaussian(7, 1.6), np.outer(taps, taps), atol=1e-6)
    impulse = np.zeros((7, 7))
    impulse[3, 3] = 1
    want = ndimage.gaussian_filter(impulse, 1.6, radius=3)
    np.testing.assert_allclose(psf.gaussian(7, 1.6), want, atol=1e-7)


@pytest.mark.parametrize("size", [7, 21])
def test_sinc_against_scipy(size):
    r = np.hypot(*grid(size))
    for omega in (0.3, 1.0, 2.0, np.pi):
        with np.errstate(invalid="ignore"):
            want = omega * special.j1(omega * r) / (2 * np.pi * r)
        want[size // 2, size // 2] = omega**2 / (4 * np.pi)
        got = psf.sinc(size, omega)
        np.testing.assert_allclose(got, want / want.sum(), atol=2e-6)


@pytest.mark.parametrize("name", [*SHAPES, "sinc"])
def test_support_is_a_smaller_kernel(name):
    """Traced, it gives what the smaller size does, with zeros around."""

    def kernel(size, support=None):
        if name == "sinc":
            return psf.sinc(size, 1.3, support=support)
        return make(name, size, 2.0, 1.0, 0.4, 0.8, support=support)

    got = np.asarray(jax.jit(lambda support: kernel(13, support))(7))
    np.testing.assert_allclose(got, np.pad(kernel(7), 3), atol=2e-7)
    assert got[:3].max() == got[:, :3].max() == got[10:].max() == got[:, 10:].max() == 0
    assert got.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("beta", [0.5, 4.0])
def test_tiny_deviations(name, beta):
    for sigma in (0.0, 0.02, 0.1):
        kernel = np.asarray(make(name, 7, sigma, sigma, 0.7, beta))
        assert np.isfinite(kernel).all() and kernel.argmax() == 24
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
    delta = psf.gaussian(7, 0.02)
    np.testing.assert_array_equal(delta, np.pad([[1.0]], 3))


@pytest.mark.parametrize("shift", [(0.5, -0.5), (1.5, 0.25), (0, 0), (-2, 1)])
def test_shifted_against_scipy(shift):
    kernel = np.asarray(psf.gaussian(9, 1.5, 0.8, 0.3))
    want = ndimage.shift(kernel.astype(float), shift, order=1, mode="grid-constant")
    got = jax.jit(psf.shifted)(kernel, *shift)
    np.testing.assert_allclose(got, want / want.sum(), atol=1e-7)


@pytest.mark.parametrize("name", [*SHAPES, "sinc", "shifted"])
def test_a_kernel_does_not_depend_on_its_batch(name):
    draws = jnp.asarray(np.random.default_rng(0).uniform(0.3, 3, (8, 4)), jnp.float32)

    def kernel(draw):
        if name == "sinc":
            return psf.sinc(25, draw[0])
        if name == "shifted":
            return psf.shifted(psf.gaussian(25, *draw[:3]), draw[1], draw[2])
        return make(name, 25, *draw)

    alone = np.stack([jax.jit(kernel)(draw) for draw in draws])
    for n in (3, 8):
        np.testing.assert_array_equal(jax.jit(jax.vmap(kernel))(draws[:n]), alone[:n])


@pytest.mark.parametrize("size", [0, 8])
def test_refuses_a_kernel_without_a_centre(size):
    with pytest.raises(ValueError, match="must be odd"):
        psf.gaussian(size, 1.0)
    with pytest.raises(ValueError, match="must be odd"):
        psf.sinc(size, 1.0)
