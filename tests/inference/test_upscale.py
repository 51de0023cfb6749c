"""`upscale` around a network that only repeats pixels: every effect seen is upscale's own."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.image import imresize
from jaxsr.image.io import Picture, write_image
from jaxsr.inference import upscale, upscale_picture
from jaxsr.models import create_model


class Repeat(nn.Module):
    """Nearest enlargement; `gain` is its only weight."""

    scale: int = 2
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr):
        assert self.colour == "any" or lr.shape[-1] in {"rgb": (3,), "y": (1, 3)}[self.colour]
        gain = self.param("gain", nn.initializers.ones, (lr.shape[-1],))
        return jnp.repeat(jnp.repeat(lr * gain[None, None, None], self.scale, 1), self.scale, 2)


class RepeatLuma(Repeat):
    colour: ClassVar[str] = "y"


def gain(*values):
    return {"params": {"gain": jnp.array(values, jnp.float32)}}


ONE, ONES = gain(1.0), gain(1.0, 1.0, 1.0)


def repeated(x, scale=2):
    return x.repeat(scale, 0).repeat(scale, 1)


def noise(*shape, dtype: Any = np.uint8):
    return np.random.default_rng(3).integers(0, np.iinfo(dtype).max, shape, dtype, True)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_same_rank_dtype_and_values(shape, dtype):
    x = noise(*shape, dtype=np.dtype(dtype if dtype[0] == "u" else "uint8"))
    if dtype[0] == "f":
        x = (x / 256).astype(dtype)  # multiples of 1/256 are exact in every float
    y = upscale(x, model=Repeat(), variables=ONES)
    assert y.dtype == dtype
    # The mean of three equal float32 is exact to the last bit but one.
    np.testing.assert_allclose(y, repeated(x), rtol=1e-6 if dtype[0] == "f" else 0)


def test_every_16_bit_level_survives():
    x = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(upscale(x, model=RepeatLuma(), variables=ONE), repeated(x))


def test_rounds_half_up_and_clips():
    x = np.array([[1, 3, 200, 255]], np.uint8)
    y = upscale(x, model=RepeatLuma(1), variables=gain(0.5))
    assert y.tolist() == [[1, 2, 100, 128]]  # 0.5, 1.5, 100, 127.5
    y = upscale(x, model=RepeatLuma(1), variables=gain(2.0))
    assert y.tolist() == [[2, 6, 255, 255]]
    y = upscale(x, model=RepeatLuma(1), variables=gain(-1.0))
    assert y.tolist() == [[0, 0, 0, 0]]


def test_gray_through_an_rgb_network_is_the_mean_of_its_channels():
    x = np.array([[80]], np.uint8)
    y = upscale(x, model=Repeat(), variables=gain(0.5, 1.0, 0.75))
    assert y.tolist() == [[60, 60], [60, 60]]


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_white_stays_white_and_opaque(name, channels):
    for dtype in (np.uint8, np.uint16):
        x = np.full((5, 6, channels), np.iinfo(dtype).max, dtype)
        y = upscale(x, model=create_model(name, scale=3))
        np.testing.assert_array_equal(y, repeated(x, 3))


def test_bicubic_is_imresize():
    x = noise(6, 7, 3) / np.float32(255)
    y = upscale(x, model=create_model("bicubic", scale=2), scale=2)
    np.testing.assert_allclose(y, np.clip(imresize(x, 2), 0, 1), atol=1e-6)


def test_colour_under_transparent_pixels_does_not_bleed():
    x = np.zeros((6, 8, 4), np.uint8)  # black where invisible
    x[:, 4:] = [200, 100, 50, 255]
    y = upscale(x, model=create_model("bicubic", scale=2))
    np.testing.assert_array_equal(y[..., :3], np.broadcast_to([200, 100, 50], (12, 16, 3)))
    ramp = imresize(x[..., 3:].astype(np.float32) / 255, scale=2)
    np.testing.assert_allclose(y[..., 3:], 255 * np.clip(ramp, 0, 1), atol=0.501)


def test_alpha_without_a_visible_or_without_a_hidden_pixel():
    x = noise(3, 4, 2)
    for level in (0, 128):
        x[..., 1] = level
        np.testing.assert_array_equal(upscale(x, model=Repeat(), variables=ONES), repeated(x))


def test_opaque_float_alpha_is_exactly_one():
    x = np.ones((5, 7, 4), np.float32)
    assert (upscale(x, model=Repeat(3), variables=ONES)[..., 3] == 1.0).all()


def test_a_file(tmp_path):
    samples = noise(3, 4, 4, dtype=np.uint16)
    samples[..., 3] = 65535
    write_image(tmp_path / "a.png", Picture(samples[..., :3], samples[..., 3:]))
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(
            upscale(path, model=Repeat(), variables=ONES), repeated(samples)
        )


def test_a_picture_keeps_its_profile():
    samples = noise(3, 4, 2)
    samples[..., 1] = 255
    picture = Picture(samples[..., :1], samples[..., 1:], b"profile")
    result = upscale_picture(picture, RepeatLuma(), ONE)
    np.testing.assert_array_equal(result.pixels, repeated(picture.pixels))
    assert result.alpha is not None and result.alpha.shape == (6, 8, 1)
    assert result.icc == b"profile"
    assert upscale_picture(Picture(samples[..., :1]), RepeatLuma(), ONE).alpha is None


def test_one_compilation_per_shape():
    traced = []

    class Counted(Repeat):
        def __call__(self, lr):
            traced.append(lr.shape)
            return jnp.repeat(jnp.repeat(lr, 2, 1), 2, 2)

    for shape in [(3, 4, 3), (3, 4, 3), (3, 4), (5, 4, 3), (3, 4, 3)]:
        upscale(noise(*shape), model=Counted(), variables={})
    assert traced == [(1, 3, 4, 3), (1, 3, 4, 3), (1, 5, 4, 3)]  # the second for gray


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((2, 3, 5), np.uint8), "(2, 3, 5)"),
        (np.zeros((1, 2, 3, 3), np.uint8), "(1, 2, 3, 3)"),
        (np.zeros((0, 3), np.uint8), "(0, 3)"),
        (np.zeros((2, 3), np.int32), "int32"),
        (np.full((2, 3), 255.0), "255"),
        (np.full((2, 3), np.nan), "nan"),
    ],
)
def test_other_arrays_are_refused(image, words):
    with pytest.raises(InputError) as caught:
        upscale(image, model=Repeat(), variables=ONES)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_scale_missing_weights_and_nan():
    x = noise(2, 3, 3)
    with pytest.raises(InputError, match=r"scale=4.* 2 times"):
        upscale(x, model=Repeat(), variables=ONES, scale=4)
    with pytest.raises(InputError, match="Repeat has no weights"):
        upscale(x, model=Repeat())
    with pytest.raises(InputError, match="Repeat x2 gave NaN or infinity for a 3x2 picture"):
        upscale(x, model=Repeat(), variables=gain(1.0, np.nan, 1.0))
