"""`imresize` against exact fractions and closed forms, `pillow_resize` against Pillow.

The checks against MATLAB's own results are in tests/reference.
"""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.image import imresize, pillow_resize, resize_matrix

HALF = Fraction(1, 2)


def noise(*shape, dtype="uint8"):
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max, shape, dtype, True)


# MATLAB's algorithm once more, pixel by pixel in exact fractions


def keys(x):
    x = abs(x)
    if x <= 1:
        return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
    if x < 2:
        return -HALF * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2
    return Fraction(0)


def mirrored(i, n):
    while not 0 <= i < n:
        i = -1 - i if i < 0 else 2 * n - 1 - i
    return i


def exact_line(line, n_out, scale, edge):
    """One line of integers, resized and rounded half up; position 0 is the first pixel's centre."""
    n, peak = len(line), np.iinfo(line.dtype).max
    shrink = min(scale, Fraction(1))
    out = []
    for i in range(n_out):
        centre = (i + HALF) / scale - HALF
        reach = 2 / shrink
        taps = range(math.floor(centre - reach), math.ceil(centre + reach) + 1)
        weights = [keys(shrink * (centre - t)) for t in taps]
        inside = [mirrored(t, n) if edge == "symmetric" else min(max(t, 0), n - 1) for t in taps]
        total = sum(w * int(line[t]) for w, t in zip(weights, inside, strict=True))
        out.append(min(max(math.floor(total / sum(weights) + HALF), 0), peak))
    return np.array(out, line.dtype)


def exact(x, shape, scales, order, edge):
    for axis in order:
        x = np.apply_along_axis(exact_line, axis, x, shape[axis], scales[axis], edge)
    return x


@pytest.mark.parametrize("edge", ["symmetric", "replicate"])
@pytest.mark.parametrize(
    "scale", [Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), 2, 3, Fraction(7, 10)], ids=str
)
@pytest.mark.parametrize("size", [(11, 8), (1, 1)])
def test_uint8_is_exact(size, scale, edge):
    scale = Fraction(scale)
    x = noise(*size, 1)
    shape = tuple(math.ceil(n * scale) for n in size)
    y = imresize(x, float(scale), edge=edge)
    assert y.dtype == jnp.uint8 and y.shape == (*shape, 1)
    np.testing.assert_array_equal(y, exact(x, shape, (scale, scale), (0, 1), edge))


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(1, 3), 3], ids=str)
def test_uint16_is_exact(scale):
    scale = Fraction(scale)
    x = noise(12, 21, 1, dtype="uint16")
    shape = tuple(math.ceil(n * scale) for n in x.shape[:2])
    y = imresize(x, float(scale))
    assert y.dtype == jnp.uint16
    np.testing.assert_array_equal(y, exact(x, shape, (scale, scale), (0, 1), "symmetric"))


@pytest.mark.parametrize("shape", [(5, 20), (24, 4)])
def test_the_axis_that_shrinks_more_goes_first(shape):
    x = noise(12, 10, 1)
    scales = Fraction(shape[0], 12), Fraction(shape[1], 10)
    first, second = (0, 1) if scales[0] < scales[1] else (1, 0)
    result = np.asarray(imresize(x, shape=shape))
    np.testing.assert_array_equal(result, exact(x, shape, scales, (first, second), "symmetric"))
    assert (result != exact(x, shape, scales, (second, first), "symmetric")).any()


# Closed forms


@pytest.mark.parametrize("value", [0, 1, 255])
@pytest.mark.parametrize("scale", [1 / 3, 3])
def test_constant_stays_constant(value, scale):
    x = np.full((9, 9, 1), value, np.uint8)
    assert (np.asarray(imresize(x, scale)) == value).all()


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_a_ramp_stays_a_ramp_inside(kernel):
    x = np.tile(np.arange(16, dtype=np.float32)[:, None, None], (1, 16, 1))
    y = np.asarray(imresize(x, 2, kernel=kernel))[:, 0, 0]
    np.testing.assert_allclose(y[4:-4], (np.arange(32) + 0.5)[4:-4] / 2 - 0.5, atol=1e-5)


def test_nearest_repeats_and_picks():
    x = noise(4, 6, 3)
    np.testing.assert_array_equal(imresize(x, 3, kernel="nearest"), x.repeat(3, 0).repeat(3, 1))
    np.testing.assert_array_equal(imresize(x, 0.5, kernel="nearest"), x[1::2, 1::2])


def test_scale_one_is_the_identity():
    x = noise(4, 6, 3)
    np.testing.assert_array_equal(imresize(x, 1.0), x)


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "bicubic", "lanczos2", "lanczos3"])
@pytest.mark.parametrize("edge", ["symmetric", "replicate"])
def test_weights_sum_to_one_and_mirror(kernel, edge):
    matrix = resize_matrix(10, 20, 2.0, kernel, True, edge)
    np.testing.assert_allclose(matrix.sum(1), 1.0, atol=1e-12)
    if kernel != "nearest":
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-12)


def test_lanczos_at_the_middle_between_two_pixels():
    """Two-fold reduction without antialiasing samples at +-0.5, 1.5, 2.5 from the pixels."""
    row = resize_matrix(12, 6, 0.5, "lanczos3", False, "symmetric")[3]
    t = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    weight = np.sin(np.pi * t) * np.sin(np.pi * t / 3) * 3 / (np.pi * t) ** 2
    np.testing.assert_allclose(row[4:10], weight / weight.sum(), atol=1e-12)


# As a JAX function


def test_jit_vmap_and_batches_agree():
    x = noise(3, 8, 9, 3)
    want = np.stack([imresize(image, 1 / 2) for image in x])
    half = lambda image: imresize(image, 1 / 2)  # noqa: E731
    np.testing.assert_array_equal(imresize(x, 1 / 2), want)
    np.testing.assert_array_equal(jax.jit(half)(x), want)
    np.testing.assert_array_equal(jax.vmap(half)(x), want)


def test_gradient_is_the_adjoint():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=s).astype(np.float32) for s in ((6, 8, 1), (3, 4, 1)))
    out, pull = jax.vjp(lambda x: imresize(x, 1 / 2), x)
    (back,) = pull(y)
    assert np.vdot(out, y) == pytest.approx(np.vdot(x, back), rel=1e-5)
    assert np.abs(back).max() > 0.1


def test_half_precision_comes_back_as_it_went_in():
    x = jnp.linspace(0, 1, 64, dtype=jnp.bfloat16).reshape(8, 8, 1)
    y = imresize(x, 2)
    assert y.dtype == jnp.bfloat16
    want = imresize(x.astype(jnp.float32), 2)
    np.testing.assert_allclose(y.astype(jnp.float32), want, atol=2**-7)  # rounded twice


@pytest.mark.parametrize(
    ("x", "arguments", "message"),
    [
        (np.zeros((4, 4), np.uint8), {"scale": 2}, r"\[H, W, C\]"),
        (np.zeros((0, 4, 1), np.uint8), {"scale": 2}, "non-empty"),
        (np.zeros((4, 4, 1), np.int32), {"scale": 2}, "int32"),
        (np.zeros((4, 4, 1), np.uint8), {"scale": 2, "kernel": "cubic"}, "kernel"),
        (np.zeros((4, 4, 1), np.uint8), {"scale": 2, "edge": "wrap"}, "edge"),
        (np.zeros((4, 4, 1), np.uint8), {}, "either scale or shape"),
        (np.zeros((4, 4, 1), np.uint8), {"scale": 2, "shape": (8, 8)}, "either scale or shape"),
        (np.zeros((4, 4, 1), np.uint8), {"scale": -1}, "positive"),
        (np.zeros((4, 4, 1), np.uint8), {"shape": (0, 3)}, "cannot resize"),
    ],
)
def test_refusals(x, arguments, message):
    with pytest.raises(ValueError, match=message):
        imresize(x, **arguments)


# Pillow

KERNELS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("shape", "tolerance"),
    [((40, 50), 0), ((9, 17), 0), ((23, 6), 0), ((23, 40), 0), ((1, 1), 1), ((8, 5), 1)],
)
def test_8_bits_against_pillow(kernel, shape, tolerance):
    """Pillow may take either axis first when both change and one shrinks: then one level."""
    x = noise(23, 17, 3)
    want = np.asarray(Image.fromarray(x).resize(shape[::-1], KERNELS[kernel])).astype(int)
    assert np.abs(np.asarray(pillow_resize(x, shape, kernel)) - want).max() <= tolerance


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(40, 50), (8, 5), (40, 5)])
def test_float_against_pillow(kernel, shape):
    x = noise(23, 17, 1).astype(np.float32)
    want = np.asarray(Image.fromarray(x[..., 0]).resize(shape[::-1], KERNELS[kernel]))
    np.testing.assert_allclose(pillow_resize(x, shape, kernel)[..., 0], want, atol=1e-3)


def test_pillow_refusals():
    with pytest.raises(ValueError, match="16-bit"):
        pillow_resize(np.zeros((4, 4, 1), np.uint16), (2, 2))
    with pytest.raises(ValueError, match="cannot resize"):
        pillow_resize(np.zeros((4, 4, 1), np.uint8), (0, 2))
    with pytest.raises(ValueError, match="kernel"):
        pillow_resize(np.zeros((4, 4, 1), np.uint8), (2, 2), "hamming")
