"""`resample` against PyTorch, `imresize`, OpenCV's numbers and integrals of piecewise constants."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.image import imresize
from jaxsr.image.resample import MODES, resample

X: Any = np.random.default_rng(3).random((13, 18, 3), np.float32)
SIZES = [(6, 25), (13, 18), (26, 9), (1, 1)]  # mixed, the same, mixed, the smallest

compiled = jax.jit(resample, static_argnames=("shape", "mode", "edge"))


def in_corner(picture):
    """An array of 15 x 20 pixels, NaN beyond the picture."""
    h, w, _ = picture.shape
    return np.pad(picture, ((0, 15 - h), (0, 20 - w), (0, 0)), constant_values=np.nan)


def resampled(shape, mode, scale=None, edge="symmetric", picture=X):
    """The picture resampled to `shape`, both in corners, so that all sizes share one program."""
    sizes = {"size": picture.shape[:2], "out_size": shape}
    y = compiled(in_corner(picture), (30, 42), mode, scale=scale, edge=edge, **sizes)
    return y[: shape[0], : shape[1]]


def integral_mean(line, n_out, scale):
    """The mean of a line of constant pixels over each output pixel, by its integral, float64."""
    at = np.minimum(np.arange(n_out + 1) / scale, len(line))
    integral = np.interp(at, np.arange(len(line) + 1), np.concatenate([[0], np.cumsum(line)]))
    return np.diff(integral) / np.diff(at)


def integral_means(x, shape, scales):
    for axis in (0, 1):
        mean = functools.partial(integral_mean, n_out=shape[axis], scale=scales[axis])
        x = np.apply_along_axis(mean, axis, x.astype(np.float64))
    return x


# PyTorch

TORCH = {"nearest": "nearest", "bilinear": "bilinear", "cubic": "bicubic", "adaptive": "area"}


@pytest.fixture(scope="module")
def interpolate():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

    def run(mode, **arguments):
        x = torch.from_numpy(X.transpose(2, 0, 1)[None].copy())
        corners = {"align_corners": False} if mode in ("bilinear", "cubic") else {}
        y = torch.nn.functional.interpolate(x, mode=TORCH[mode], **arguments, **corners)
        return y[0].numpy().transpose(1, 2, 0)

    return run


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", TORCH)
def test_sizes_against_pytorch(interpolate, mode, size):
    np.testing.assert_allclose(resampled(size, mode), interpolate(mode, size=size), atol=1e-5)


@pytest.mark.parametrize("scale", [0.37, 0.5, 0.7777, 1.3])
@pytest.mark.parametrize("mode", TORCH)
def test_factors_against_pytorch(interpolate, mode, scale):
    want = interpolate(mode, scale_factor=scale)
    got = resampled(want.shape[:2], mode, scale)
    np.testing.assert_allclose(got, want, atol=1e-5)


# MATLAB's


@pytest.mark.parametrize("edge", ["symmetric", "replicate"])
@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 0.7, 1 / 13, 2.3])
def test_bicubic_is_imresize(scale, edge):
    want = imresize(X, scale, edge=edge)
    got = resampled(want.shape[:2], "bicubic", scale, edge)
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("edge", ["symmetric", "replicate"])
@pytest.mark.parametrize("size", SIZES[::3])
def test_bicubic_to_sizes_is_imresize(size, edge):
    want = imresize(X, shape=size, edge=edge)
    np.testing.assert_allclose(resampled(size, "bicubic", edge=edge), want, atol=1e-5)


# Area


@pytest.mark.parametrize("shape", [(13, 18), (6, 7), (12, 18), (26, 36), (16, 29), (1, 1)])
def test_area_is_the_mean_over_the_output_pixel(shape):
    scales = shape[0] / 13, shape[1] / 18
    want = integral_means(X, shape, scales)
    np.testing.assert_allclose(resampled(shape, "area"), want, atol=1e-6)


def test_area_by_a_factor_stops_at_the_border():
    want = integral_means(X, (10, 14), (0.75, 0.75))  # 13 * 0.75 = 9.75
    np.testing.assert_allclose(resampled((10, 14), "area", 0.75), want, atol=1e-6)


@pytest.mark.parametrize("mode", ["area", "adaptive"])
def test_area_of_whole_blocks(mode):
    x = X[:12]
    want = x.reshape(4, 3, 9, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(compiled(x, (4, 9), mode), want, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "row"),  # of cv2.resize(..., interpolation=cv2.INTER_AREA), OpenCV 5.0
    [
        ((4, 3), [0.4, 4.4, 13.2]),
        ((6, 3), [0.4, 3.4, 13.2]),  # the other axis grows
        ((6, 2), [0.6, 8.0]),
        ((6, 7), [0.0, 0.6, 1.6, 4.0, 8.0, 11.8, 16.0]),
    ],
)
def test_area_as_opencv(shape, row):
    x = jnp.tile(jnp.arange(5.0)[None, :, None] ** 2, (4, 1, 1))
    want = np.tile(np.array(row)[None, :, None], (shape[0], 1, 1))
    got = compiled(x, (6, 7), "area", out_size=shape)[: shape[0], : shape[1]]
    np.testing.assert_allclose(got, want, atol=1e-5)
    turned = compiled(x.swapaxes(0, 1), (7, 6), "area", out_size=shape[::-1])
    np.testing.assert_allclose(turned[: shape[1], : shape[0]], want.swapaxes(0, 1), atol=1e-5)


# Sizes and modes of one's own

SMALLER = X[:9, :11]
BEFORE = np.array([(13, 18), (9, 11), (5, 18), (12, 7), (1, 3), (13, 12)], np.int32)
AFTER = np.array([(6, 9), (14, 20), (10, 9), (5, 3), (2, 1), (4, 5)], np.int32)


@jax.jit
def resample_each(x, size, out_size, index, scale=None):
    """Every image of a batch with its own size, target and mode, to arrays of 16 x 20 pixels."""

    def one(x, size, out_size, index, scale):
        size, out_size = (size[0], size[1]), (out_size[0], out_size[1])
        return resample(x, (16, 20), (MODES, index), size=size, out_size=out_size, scale=scale)

    return jax.vmap(one)(x, size, out_size, index, scale)


@pytest.mark.parametrize("edge", ["symmetric", "replicate"])
def test_a_picture_in_a_corner_is_resampled_alone(edge):
    program = jax.jit(lambda x, i: resample(x, (8, 14), (MODES, i), edge=edge))
    for index, mode in enumerate(MODES):
        got = resampled((8, 14), mode, edge=edge, picture=SMALLER)
        np.testing.assert_allclose(got, program(SMALLER, index), atol=2e-6, err_msg=mode)


def test_a_batch_of_sizes_and_modes_is_resampled_one_by_one():
    pictures = [X[:h, :w] for h, w in BEFORE]
    canvas = np.stack([in_corner(picture) for picture in pictures])
    got = resample_each(canvas, BEFORE, AFTER, np.arange(6))
    for y, picture, (h, w), mode in zip(got, pictures, AFTER.tolist(), MODES, strict=True):
        want = resampled((h, w), mode, picture=picture)
        np.testing.assert_allclose(y[:h, :w], want, atol=2e-6, err_msg=mode)

    others = np.where(np.arange(6)[:, None, None, None] == 2, canvas, 7.0)
    again = resample_each(others, BEFORE, AFTER, np.array([3, 3, 2, 0, 1, 5]))
    np.testing.assert_array_equal(again[2], got[2])  # whatever its neighbours are


def test_factors_of_their_own():
    factors = np.array([0.31, 0.5, 1.07, 0.8, 0.37, 0.45], np.float32)
    sizes = np.floor(factors[:, None] * [[13, 18]]).astype(np.int32)
    canvas = np.stack([in_corner(X)] * 6)
    got = resample_each(canvas, np.array([(13, 18)] * 6), sizes, np.arange(6), factors)
    for y, factor, (h, w), mode in zip(got, factors, sizes.tolist(), MODES, strict=True):
        want = resampled((h, w), mode, factor)
        np.testing.assert_allclose(y[:h, :w], want, atol=1e-5, err_msg=mode)


def test_gradient_is_the_adjoint_and_stays_inside():
    x = in_corner(SMALLER)
    f = jax.jit(lambda x, h: resample(x, (7, 8), "area", size=(h, 11), out_size=(h // 2, 5)))
    y, pull = jax.vjp(lambda x: f(x, 9)[:4, :5], x)
    z = np.random.default_rng(0).normal(size=y.shape).astype(np.float32)
    (back,) = pull(jnp.asarray(z))
    assert np.vdot(y, z) == pytest.approx(np.vdot(SMALLER, back[:9, :11]), rel=1e-4)
    assert (back[9:] == 0).all() and (back[:, 11:] == 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_constant_stays_constant(mode):
    y = compiled(jnp.full((7, 9, 1), 0.3), (4, 13), mode)
    np.testing.assert_allclose(y, 0.3, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "lanczos"}, "mode must be one of"),
        ({"mode": (("area", "box"), 0)}, "'box'"),
        ({"mode": "bicubic", "edge": "wrap"}, "edge must be one of"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        resample(X, (4, 4), **arguments)
