"""The shared blocks against hand-built arrays and index formulas."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.models.blocks import conv, icnr, on_luma, pixel_shuffle, torch_kernel

KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default


def test_pixel_shuffle_by_hand():
    x = jnp.array([[[[1, 2, 3, 4]]]])
    assert pixel_shuffle(x, 2)[0, :, :, 0].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("scale", [2, 3])
def test_pixel_shuffle_in_pytorchs_order(scale):
    """out[n, c, h s + i, w s + j] = in[n, c s^2 + i s + j, h, w] in PyTorch's documentation."""
    n, h, w, c = 2, 3, 2, 2
    x = np.arange(n * h * w * c * scale**2).reshape(n, h, w, c * scale**2)
    y = np.asarray(pixel_shuffle(jnp.asarray(x), scale))
    assert y.shape == (n, h * scale, w * scale, c)
    for row, column, channel in np.ndindex(y.shape[1:]):
        i, j = row % scale, column % scale
        source = x[:, row // scale, column // scale, channel * scale**2 + i * scale + j]
        np.testing.assert_array_equal(y[:, row, column, channel], source)


def test_pixel_shuffle_refuses_other_channels():
    with pytest.raises(ValueError, match="6 channels do not shuffle by 2"):
        pixel_shuffle(jnp.zeros((1, 2, 2, 6)), 2)


def test_icnr_starts_every_channel_equal():
    kernel = icnr(torch_kernel, 3)(KEY, (3, 3, 4, 18), jnp.float32)
    groups = kernel.reshape(3, 3, 4, 2, 9)
    np.testing.assert_array_equal(groups, jnp.broadcast_to(groups[..., :1], groups.shape))
    assert (groups[..., 0, 0] != groups[..., 1, 0]).all()


class OneConv(nn.Module):
    """One layer from 16 to 32 channels."""

    @nn.compact
    def __call__(self, x):
        return conv(x, 32, 3, "conv")


def test_initialisation_is_pytorchs():
    """Kernel and bias uniform within +-1/sqrt(fan_in): std is bound / sqrt(3)."""
    variables: dict[str, Any] = dict(OneConv().init(KEY, jnp.zeros((1, 4, 4, 16))))
    params = variables["params"]["conv"]
    bound = (3 * 3 * 16) ** -0.5
    for values, tolerance in ((params["kernel"], 0.02), (params["bias"], 0.3)):
        values = np.asarray(values)
        assert 0.9 * bound < np.abs(values).max() <= bound
        assert values.std() == pytest.approx(bound / 3**0.5, rel=tolerance)
    assert params["kernel"].shape == (3, 3, 16, 32)


def test_a_luma_network_takes_1_or_3_channels():
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        on_luma(lambda y: y, jnp.zeros((1, 4, 4, 2)), 2)
