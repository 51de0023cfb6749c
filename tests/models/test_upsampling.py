"""The ways of enlarging: their shapes, what they are by definition, where they draw patterns."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.image import imresize
from jaxsr.metrics import checkerboard
from jaxsr.models import upsampling as up

X: Any = np.random.default_rng(5).normal(size=(1, 5, 7, 4)).astype(np.float32)
FLAT: Any = np.ones((1, 12, 12, 4), np.float32)
KEY = jax.random.key(0, impl="rbg")
WAYS = {
    "transposed": up.transposed,
    "transposed 3": functools.partial(up.transposed, size=3),
    "sub-pixel": up.sub_pixel,
    "ICNR": functools.partial(up.sub_pixel, icnr=True),
    "nearest": up.nearest_conv,
}
WAYS |= {f"progressive {n}": functools.partial(up.progressive, way) for n, way in WAYS.items()}


class Layer(nn.Module):
    way: Any
    scale: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        return self.way(x, self.scale, name="up", dtype=self.dtype)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("way", WAYS)
def test_shape_and_type(way, scale):
    layer = Layer(WAYS[way], scale, jnp.bfloat16)
    for height, width in ((5, 7), (1, 1)):
        x = jax.ShapeDtypeStruct((2, height, width, 4), jnp.float32)
        y, variables = jax.eval_shape(layer.init_with_output, KEY, x)
        assert y.shape == (2, scale * height, scale * width, 4) and y.dtype == jnp.bfloat16
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))


def test_layers_are_named():
    for scale, names in ((3, {"up0"}), (4, {"up0", "up1"}), (8, {"up0", "up1", "up2"})):
        layer = Layer(WAYS["progressive nearest"], scale)
        assert set(jax.eval_shape(layer.init, KEY, X)["params"]) == names


def test_bicubic():
    np.testing.assert_array_equal(up.bicubic(X, 3), imresize(X, 3))


@pytest.mark.parametrize(
    ("scale", "size", "padding", "output_padding"),
    [(2, None, 1, 0), (2, 3, 1, 1), (3, None, 2, 1), (4, 9, 3, 1), (4, 8, 2, 0)],
)
def test_transposed_is_pytorchs(fake_params, scale, size, padding, output_padding):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    layer: Any = Layer(functools.partial(up.transposed, size=size), scale)
    variables = fake_params(layer, X)
    kernel, bias = (variables["params"]["up"][k] for k in ("kernel_transposed", "bias"))
    want = torch.nn.functional.conv_transpose2d(
        torch.from_numpy(X.transpose(0, 3, 1, 2).copy()),
        torch.from_numpy(kernel.transpose(2, 3, 0, 1).copy()),
        torch.from_numpy(bias.copy()),
        stride=scale,
        padding=padding,
        output_padding=output_padding,
    )
    got = layer.apply(variables, X)
    np.testing.assert_allclose(got, want.numpy().transpose(0, 2, 3, 1), atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3])
def test_icnr_starts_as_a_convolution_enlarged_by_nearest(scale):
    layer: Any = Layer(WAYS["ICNR"], scale)
    y = np.asarray(layer.apply(layer.init(KEY, X), X))
    np.testing.assert_array_equal(y, y[:, ::scale, ::scale].repeat(scale, 1).repeat(scale, 2))


@pytest.mark.parametrize(
    ("way", "scale", "drawn"),
    [
        ("transposed 3", 2, True),
        ("sub-pixel", 2, True),
        ("sub-pixel", 3, True),
        ("ICNR", 2, False),
        ("nearest", 2, False),
        ("nearest", 3, False),
        ("progressive nearest", 4, False),
        ("progressive transposed 3", 4, True),
    ],
)
def test_what_a_flat_picture_becomes_at_initialisation(way, scale, drawn):
    """Away from the border, where zeros come in."""
    layer: Any = Layer(WAYS[way], scale)
    y = layer.apply(layer.init(KEY, FLAT), FLAT)[:, 4 * scale : -4 * scale, 4 * scale : -4 * scale]
    share = checkerboard(y, scale)
    assert share > 0.99 if drawn else share < 1e-3


def test_overlap_of_a_transposed_convolution():
    """Equal taps: even where the size is a multiple of the stride, uneven otherwise."""
    for size, even in ((4, True), (2, True), (3, False), (5, False)):
        layer: Any = Layer(functools.partial(up.transposed, size=size), 2)
        ones = jax.tree.map(lambda s: np.ones(s.shape, s.dtype), jax.eval_shape(layer.init, KEY, X))
        y = layer.apply(ones, FLAT)[:, 8:-8, 8:-8]
        assert (np.ptp(y) == 0) == even
