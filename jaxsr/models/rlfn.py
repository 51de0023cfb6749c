"""RLFN: Kong et al. 2022, "Residual Local Feature Network for Efficient Super-Resolution",
https://arxiv.org/abs/2205.07514.

Head conv, residual local feature blocks with spatial attention, trunk conv, long skip, one
sub-pixel layer of the scale. Pixels are RGB in 0..255 inside, without a mean shift: the scores of
the released weights are reached so. PyTorch's default initialisation, as in the authors' code.

The attention sees the image through a strided grid and has no result below 15 pixels a side;
smaller images are continued by their last row and column, and the result is cropped. The grid
starts at the top left corner, so tiles give other results than whole images.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import conv, pixel_shuffle
from jaxsr.models.card import Card

_LEAST = 15  # pixels a side that the attention's strided layers need


class SpatialAttention(nn.Module):
    """ESA as RLFN has it: a mask in (0, 1) per pixel and channel, from a coarse grid of maxima
    enlarged by bilinear and from the pixel itself. At least 15 pixels a side."""

    features: int = 16
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        fields = {"features": self.features, "dtype": self.dtype}
        reduced = conv(x, size=1, name="reduce", **fields)
        grid = conv(reduced, size=3, name="stride", stride=2, padding=0, **fields)
        grid = nn.max_pool(grid, (7, 7), strides=(3, 3))
        grid = conv(grid, size=3, name="grid", **fields)
        y = imresize(grid, shape=(x.shape[1], x.shape[2]), kernel="bilinear")
        y = y + conv(reduced, size=1, name="skip", **fields)
        return x * nn.sigmoid(conv(y, x.shape[-1], 1, "expand", dtype=self.dtype))


class LocalBlock(nn.Module):
    """Three convolutions, the first two with `middle` channels, and a skip; then a 1x1 conv and
    the attention, around which there is none."""

    middle: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = x
        for i, features in enumerate((self.middle, self.middle, x.shape[-1]), 1):
            y = nn.leaky_relu(conv(y, features, 3, f"conv{i}", dtype=self.dtype), 0.05)
        y = conv(x + y, x.shape[-1], 1, "fuse", dtype=self.dtype)
        return SpatialAttention(dtype=self.dtype, name="attention")(y)


class RLFN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The network of the NTIRE 2022 challenge has 4 blocks of 46 channels, 48 in the middle.
    `rgb_range` is the range of the pixels inside.
    """

    scale: int
    blocks: int = 6
    features: int = 52
    middle: int | None = None  # channels inside a block, if not `features`
    rgb_range: float = 255.0
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        _, height, width, _ = lr.shape
        below, right = max(0, _LEAST - height), max(0, _LEAST - width)
        lr = jnp.pad(lr, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")
        x = head = conv(self.rgb_range * lr, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.blocks):
            x = LocalBlock(self.middle or self.features, self.dtype, name=f"block{i}")(x)
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        x = conv(x, 3 * self.scale**2, 3, "upsample", dtype=self.dtype)
        sr = pixel_shuffle(x, self.scale).astype(jnp.float32) / self.rgb_range
        return sr[:, : height * self.scale, : width * self.scale]


_card = functools.partial(
    Card,
    title="Residual Local Feature Network for Efficient Super-Resolution",
    year=2022,
    url="https://arxiv.org/abs/2205.07514",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4),
    recipe="DIV2K, L1, HR patches of 256, batches of 64, Adam 5e-4 halved every 200 of 1000 "
    "epochs; then the schedule again from the weights reached",
)
MODELS = {
    "rlfn": _card(
        build=RLFN,
        published={
            2: {
                "Set5": (38.07, 0.9607),
                "Set14": (33.72, 0.9187),
                "BSD100": (32.22, 0.9000),
                "Urban100": (32.33, 0.9299),
            },
            4: {
                "Set5": (32.24, 0.8952),
                "Set14": (28.62, 0.7813),
                "BSD100": (27.60, 0.7364),
                "Urban100": (26.17, 0.7877),
            },
        },
        note="the paper has x2 and x4; x3 is the same network with its sub-pixel layer",
    ),
    "rlfn_s": _card(
        build=functools.partial(RLFN, features=48),
        note="the paper has x2 and x4; x3 is the same network with its sub-pixel layer",
    ),
}
