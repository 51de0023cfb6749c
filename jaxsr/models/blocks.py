"""What several architectures share: convolutions as PyTorch starts and aligns them, sub-pixel
layers, activations with parameters, luma networks.

Kernels are stored [height, width, in / groups, out]; parameters are float32 whatever the compute
type `dtype` (None: that of the input).
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from jaxsr.image.colour import rgb_to_ycbcr, ycbcr_to_rgb
from jaxsr.image.resize import imresize

Initializer = Callable[..., jax.Array]
Padding = Literal["zero", "edge"]
Channels = Literal[1, 3]  # of a network that takes luma or RGB

DIV2K_MEAN = np.array([0.4488, 0.4371, 0.4040], np.float32)  # RGB, of [0, 1]

# PyTorch's default convolution kernel: uniform within +-1/sqrt(fan_in).
torch_kernel: Initializer = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
# He et al. 2015, https://arxiv.org/abs/1502.01852; fan-in is Caffe's "msra", too.
he_normal: Initializer = nn.initializers.variance_scaling(2.0, "fan_in", "normal")
he_normal_fan_out: Initializer = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


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


class Conv(nn.Module):
    """A `size` x `size` convolution, [N, H, W, C] -> [N, H', W', features].

    Attributes:
      padding: what surrounds the image: "zero" or "edge" (its border replicated), both as much
        as keeps H and W for an odd size and stride 1; or a number of zeros on every side.
      kernel_init: starts the kernel, and biases at zero; None starts both as PyTorch does.
      shuffle: above 1, makes it start by ICNR for a sub-pixel layer of that factor.
    """

    features: int
    size: int = 3
    stride: int = 1
    groups: int = 1
    bias: bool = True
    padding: Padding | int = "zero"
    kernel_init: Initializer | None = None
    shuffle: int = 1
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (self.size, self.size, x.shape[-1] // self.groups, self.features)
        kernel_init, bias_init = self.kernel_init or torch_kernel, nn.initializers.zeros
        if self.kernel_init is None:
            bias_init = torch_bias(self.size**2 * shape[2])
        if self.shuffle > 1:
            kernel_init, bias_init = icnr(kernel_init, self.shuffle), icnr(bias_init, self.shuffle)
        kernel = self.param("kernel", kernel_init, shape, jnp.float32)
        reach = self.padding if isinstance(self.padding, int) else self.size // 2
        if self.padding == "edge":
            x = jnp.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
            reach = 0
        dtype = self.dtype or x.dtype
        y = lax.conv_general_dilated(
            x.astype(dtype),
            kernel.astype(dtype),
            (self.stride, self.stride),
            ((reach, reach), (reach, reach)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=self.groups,
        )
        if self.bias:
            bias = self.param("bias", bias_init, (self.features,), jnp.float32)
            y = y + bias.astype(dtype).reshape(1, 1, 1, -1)
        return y


def conv(x: jax.Array, features: int, size: int, name: str, **fields: Any) -> jax.Array:
    """`Conv(features, size, name=name, **fields)(x)`, to be called in an `nn.compact` method."""
    return Conv(features, size, name=name, **fields)(x)


class TransposedConv(nn.Module):
    """PyTorch's `ConvTranspose2d`: [N, H, W, C] -> [N, H', W', features].

    Tap a of input i adds to output i * stride + a - crop[0], so that H' is
    (H - 1) * stride + size - crop[0] - crop[1]; PyTorch's `padding` p and `output_padding` q are
    the crop (p, p - q). Flax's "SAME" has another phase: its results are shifted.

    Attributes:
      crop: rows (and columns) cut off before and after; may be negative.
      kernel_init: starts the kernel, and biases at zero; None starts both as PyTorch does.
    """

    features: int
    size: int
    stride: int
    crop: tuple[int, int]
    bias: bool = True
    kernel_init: Initializer | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (self.size, self.size, x.shape[-1], self.features)
        # PyTorch takes the fan-in of the stored (in, out, h, w): out * h * w.
        bound = torch_bias(self.size**2 * self.features)
        kernel_init = self.kernel_init or bound
        kernel = self.param("kernel_transposed", kernel_init, shape, jnp.float32)
        dtype = self.dtype or x.dtype
        before, after = (self.size - 1 - c for c in self.crop)
        y = lax.conv_general_dilated(
            x.astype(dtype),
            kernel[::-1, ::-1].astype(dtype),
            (1, 1),
            ((before, after), (before, after)),
            lhs_dilation=(self.stride, self.stride),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        if self.bias:
            bias_init = bound if self.kernel_init is None else nn.initializers.zeros
            bias = self.param("bias", bias_init, (self.features,), jnp.float32)
            y = y + bias.astype(dtype).reshape(1, 1, 1, -1)
        return y


class PReLU(nn.Module):
    """max(x, 0) + slope * min(x, 0), a slope per channel or one for all.

    He et al. 2015, https://arxiv.org/abs/1502.01852.
    """

    shared: bool = False
    start: float = 0.25

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        size = 1 if self.shared else x.shape[-1]
        slope = self.param("slope", nn.initializers.constant(self.start), (size,), jnp.float32)
        slope = slope.astype(x.dtype).reshape(1, 1, 1, -1)
        return jnp.where(x >= 0, x, slope * x)


def batch_norm(x: jax.Array, name: str, train: bool, **fields: Any) -> jax.Array:
    """Batch normalisation with PyTorch's momentum (0.1, which Flax writes 0.9) and epsilon.

    The running variance is the batch's own; PyTorch's is larger by n / (n - 1) for n pixels.
    """
    fields = {"momentum": 0.9, "epsilon": 1e-5, **fields}
    return nn.BatchNorm(use_running_average=not train, name=name, **fields)(x)


class ResidualBlock(nn.Module):
    """[N, H, W, C] -> the same: conv, ReLU, conv, + input."""

    size: int = 3
    kernel_init: Initializer | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        fields: dict[str, Any] = {"kernel_init": self.kernel_init, "dtype": self.dtype}
        y = nn.relu(conv(x, x.shape[-1], self.size, "conv1", **fields))
        return x + conv(y, x.shape[-1], self.size, "conv2", **fields)


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


def pixel_unshuffle(x: jax.Array, scale: int) -> jax.Array:
    """The inverse of `pixel_shuffle`: [N, H, W, C] -> [N, H / scale, W / scale, C * scale^2]."""
    n, h, w, c = x.shape
    if h % scale or w % scale:
        raise ValueError(f"{h}x{w} pixels do not unshuffle by {scale}")
    x = x.reshape(n, h // scale, scale, w // scale, scale, c).transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(n, h // scale, w // scale, c * scale**2)


def nearest(x: jax.Array, scale: int) -> jax.Array:
    """Each pixel repeated `scale` times down and across."""
    return jnp.repeat(jnp.repeat(x, scale, axis=1), scale, axis=2)


def factors(scale: int) -> tuple[int, ...]:
    """The steps in which an enlargement is done: 3 at once, powers of two by twos."""
    return (3,) if scale == 3 else (2,) * (scale.bit_length() - 1)


def upsampler(
    x: jax.Array,
    features: int,
    scale: int,
    *,
    name: str = "upsample",
    icnr: bool = False,
    dtype: Any = None,
    activation: Callable[[jax.Array, int], jax.Array] = lambda x, i: x,
    **fields: Any,
) -> jax.Array:
    """EDSR's up-sampler: a sub-pixel layer of 2 per factor of two, one of 3 for x3.

    Its convolutions are called `{name}0`, `{name}1`, ...; `activation(x, i)` follows shuffle i.
    To be called in an `nn.compact` method.
    """
    for i, factor in enumerate(factors(scale)):
        shuffle = factor if icnr else 1
        x = conv(x, features * factor**2, 3, f"{name}{i}", shuffle=shuffle, dtype=dtype, **fields)
        x = activation(pixel_shuffle(x, factor), i)
    return x


def colour_of(channels: Channels) -> str:
    """The attribute `colour` of a network with so many channels."""
    return "y" if channels == 1 else "rgb"


def pytorch_bicubic(x: jax.Array, scale: int) -> jax.Array:
    """PyTorch's bicubic enlargement: a = -0.75, the border replicated."""
    return imresize(x, scale, kernel="bicubic75", edge="replicate")


def supervise(module: nn.Module, sr: jax.Array) -> None:
    """Hands out an output that is supervised besides SR, in the collection "supervised".

    Not at initialisation: a network's variables are its parameters and statistics alone.
    """
    if not module.is_initializing():
        module.sow("supervised", "sr", sr)


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


def on_enlarged_luma(
    network: Callable[[jax.Array], jax.Array], x: jax.Array, scale: int
) -> jax.Array:
    """`on_luma` for a network that works on luma already enlarged by bicubic.

    Args:
      network: [N, H * scale, W * scale, 1] -> the same, luma in [0, 1].
      x: [N, H, W, 1] or [N, H, W, 3] in [0, 1].
    """
    return on_luma(lambda y: network(imresize(y, scale)), x, scale)
