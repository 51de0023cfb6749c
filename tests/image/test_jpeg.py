"""`jpeg` against libjpeg (through Pillow) on photographs, and its differentiable form."""

import functools
import io
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage import data

from jaxsr.image.jpeg import CHROMA_TABLE, LUMA_TABLE, jpeg, quantisation, soft_round

QUALITIES = [10, 30, 50, 75, 90, 95, 100]
PHOTOGRAPH: Any = data.astronaut()[20:65, 180:247]  # odd in both directions, no whole blocks
GRAY: Any = data.camera()[100:145, 200:267, None]

# One program for every picture and quality.
compiled = jax.jit(jpeg, static_argnames="rounding")
soft = functools.partial(compiled, rounding=soft_round)


def libjpeg(x, quality):
    """Through Pillow, and the tables that it stores."""
    file = io.BytesIO()
    image = Image.fromarray(x if x.shape[-1] == 3 else x[..., 0])
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    decoded: Any = Image.open(file)
    return np.asarray(decoded).reshape(x.shape), decoded.quantization


def difference(x, quality):
    """To libjpeg's result, in gray levels."""
    got = compiled(x / np.float32(255), quality)
    assert got.min() >= 0 and got.max() <= 1
    return 255 * np.asarray(got) - libjpeg(x, quality)[0]


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize(("name", "tolerance"), [("PHOTOGRAPH", 0.25), ("GRAY", 0.15)])
def test_photographs_against_libjpeg(name, tolerance, quality):
    """Mean below a quarter of a level, at least 80 % of the levels the same, PSNR above 50 dB.

    The rest comes from libjpeg's integer DCT; the loss itself is 1 to 11 levels in the mean.
    """
    error = difference(globals()[name], quality)
    assert np.abs(error).mean() < tolerance
    assert (np.abs(error) < 0.5).mean() > 0.8
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 50


@pytest.mark.parametrize("shape", [(16, 16), (46, 34), (8, 70)])
def test_other_borders_against_libjpeg(shape):
    x = data.coffee()[100 : 100 + shape[0], 200 : 200 + shape[1]]
    assert np.abs(difference(x, 50)).mean() < 0.15


@pytest.mark.parametrize("quality", [1, 7, 29, 30, 49, 50, 51, 85, 100])
def test_tables_are_libjpegs(quality):
    tables = libjpeg(PHOTOGRAPH, quality)[1]
    np.testing.assert_array_equal(quantisation(LUMA_TABLE, quality).ravel(), tables[0])
    np.testing.assert_array_equal(quantisation(CHROMA_TABLE, quality).ravel(), tables[1])


def test_quality_is_real_and_limited():
    steps = [quantisation(LUMA_TABLE, quality).sum() for quality in (30, 30.5, 31)]
    assert steps[0] > steps[1] > steps[2]
    np.testing.assert_array_equal(quantisation(LUMA_TABLE, 0), quantisation(LUMA_TABLE, 1))


def test_a_flat_picture_is_kept():
    x = jnp.full((16, 16, 3), 128 / 255)
    np.testing.assert_allclose(compiled(x, 75), x, atol=1e-6)


def test_levels_outside_are_clipped():
    x = jnp.stack([jnp.full((8, 8), -0.5), jnp.full((8, 8), 1.5)])[..., None]
    np.testing.assert_allclose(jax.vmap(lambda x: compiled(x, 90))(x)[:, 0, 0, 0], [0, 1])


# Sizes and qualities of one's own


@pytest.mark.parametrize("rounding", [jnp.round, soft_round])
def test_a_batch_of_sizes_and_qualities_is_coded_one_by_one(rounding):
    """With NaN beyond the pictures."""
    sizes = np.array([(17, 33), (1, 1)], np.int32)
    qualities = np.array([92.5, 20.0], np.float32)
    pictures = [PHOTOGRAPH[:h, :w] / np.float32(255) for h, w in sizes]
    canvas = np.full((2, 40, 40, 3), np.nan, np.float32)
    for array, picture in zip(canvas, pictures, strict=True):
        array[: picture.shape[0], : picture.shape[1]] = picture

    def one(x, quality, size):
        return jpeg(x, quality, size=(size[0], size[1]), rounding=rounding)

    got = jax.jit(jax.vmap(one))(canvas, qualities, sizes)
    assert np.isfinite(got).all()
    for y, picture, quality in zip(got, pictures, qualities, strict=True):
        want = compiled(picture, quality, rounding=rounding)
        h, w, _ = picture.shape
        assert jnp.abs(y[:h, :w] - want).mean() < 1e-4  # roundings may meet a half


# Differentiable


def test_soft_round():
    x = jnp.array([-1.25, 0.0, 0.5, 0.75, 2.0])
    np.testing.assert_allclose(soft_round(x), [-1 - 1 / 64, 0, 1 / 8, 1 - 1 / 64, 2])
    slope = jax.vmap(jax.grad(soft_round))(x)
    np.testing.assert_allclose(slope, [3 / 16, 0, 3 / 4, 3 / 16, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_against_differences(channels):
    """Central differences along a direction, in float64: `soft_round` jumps at halves."""
    rng = np.random.default_rng(0)
    x = PHOTOGRAPH[:18, :20, :channels] / 255 * 0.8 + 0.1
    weight, direction = (rng.normal(size=x.shape) for _ in range(2))
    with jax.enable_x64(True):
        loss = jax.jit(lambda x: jnp.vdot(weight, jpeg(x, 80.0, rounding=soft_round)))
        gradient = np.asarray(jax.jit(jax.grad(loss))(jnp.asarray(x)))
        step = 1e-7 * direction
        slope = (loss(jnp.asarray(x + step)) - loss(jnp.asarray(x - step))) / 2e-7
    assert np.isfinite(gradient).all() and (np.abs(gradient) > 0.01).mean() > 0.8
    assert np.vdot(gradient, direction) == pytest.approx(float(slope), rel=1e-4)


def test_soft_is_near_hard():
    x = PHOTOGRAPH / np.float32(255)
    assert jnp.abs(soft(x, 75) - compiled(x, 75)).mean() < 2.5 / 255


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (2, 8, 8, 3)])
def test_refusals(shape):
    with pytest.raises(ValueError, match="1 or 3"):
        jpeg(jnp.zeros(shape), 75)
