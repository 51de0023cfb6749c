"""What several architectures share: PyTorch's defaults, sub-pixel layers, luma networks."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.colour import rgb_to_ycbcr, ycbcr_to_rgb
from jaxsr.image.resize import imresize

Initializer = Callable[..., jax.Array]

# PyTorch's default convolution kernel: uniform within +-1/sqrt(fan_in).
torch_kernel: Initializer = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


def torch_bias(fan_in: int) -> Initializer:
    """PyTorch's default bias: uniform within +-1/sqrt(fan_in)."""

    def init(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        bound = fan_in**-0.5
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def icnr(init: Initializer, scale: int) -> Initializer:
    """Makes a sub-pixel layer start as nearest-neighbour enlargement, free of checkerboard.

    Wraps an initializer of a kernel or bias whose last axis feeds `pixel_shuffle(scale)`: the
    scale^2 outputs of each channel start equal. Aitken et al. 2017,
    https://arxiv.org/abs/1707.02937.
    """

    def wrapped(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        once = init(key, (*shape[:-1], shape[-1] // scale**2), dtype)
        return jnp.repeat(once, scale**2, axis=-1)

    return wrapped


def conv(
    x: jax.Array,
    features: int,
    size: int,
    name: str,
    *,
    dtype: Any = None,
    kernel_init: Initializer | None = None,
    shuffle: int = 1,
) -> jax.Array:
    """A `size` x `size` convolution with zero "same" padding and bias.

    To be called inside an `nn.compact` method. Starts as PyTorch's default does, or from a given
    `kernel_init` and zero biases; `shuffle` > 1 makes it ICNR for a sub-pixel layer of that factor.
    """
    bias_init = nn.initializers.zeros
    if kernel_init is None:
        kernel_init, bias_init = torch_kernel, torch_bias(size * size * x.shape[-1])
    if shuffle > 1:
        kernel_init, bias_init = icnr(kernel_init, shuffle), icnr(bias_init, shuffle)
    return nn.Conv(
        features,
        (size, size),
        padding="SAME",
        kernel_init=kernel_init,
        bias_init=bias_init,
        dtype=dtype,
        name=name,
    )(x)


def pixel_shuffle(x: jax.Array, scale: int) -> jax.Array:
    """[N, H, W, C * scale^2] -> [N, H * scale, W * scale, C] in PyTorch's channel order.

    Channel c * scale^2 + i * scale + j becomes row offset i and column offset j of channel c.
    Shi et al. 2016, https://arxiv.org/abs/1609.05158.
    """
    n, h, w, channels = x.shape
    if channels % scale**2:
        raise ValueError(f"{channels} channels do not shuffle by {scale}")
    c = channels // scale**2
    x = x.reshape(n, h, w, c, scale, scale).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(n, h * scale, w * scale, c)


def on_luma(network: Callable[[jax.Array], jax.Array], x: jax.Array, scale: int) -> jax.Array:
    """Runs a luma network on one-channel or RGB input; RGB's chroma is enlarged by bicubic.

    Args:
      network: [N, H, W, 1] -> [N, H * scale, W * scale, 1], luma in [0, 1].
      x: [N, H, W, 1] or [N, H, W, 3] in [0, 1].
    """
    if x.shape[-1] == 1:
        return network(x)
    if x.shape[-1] != 3:
        raise ValueError(f"a luma network takes 1 or 3 channels, got {x.shape[-1]}")
    ycbcr = rgb_to_ycbcr(x)
    y = network(ycbcr[..., :1])
    chroma = imresize(ycbcr[..., 1:], scale)
    return ycbcr_to_rgb(jnp.concatenate([y, chroma], axis=-1))
