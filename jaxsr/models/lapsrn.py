"""LapSRN: Lai et al. 2017, "Deep Laplacian Pyramid Networks for Fast and Accurate
Super-Resolution", https://arxiv.org/abs/1704.03915.

A luma network that doubles the size per level. Features: ten convolutions and a transposed one,
each with a leaky ReLU (0.2), handed on to the next level. Image: the level's input enlarged by a
4x4 transposed convolution that starts as bilinear interpolation, plus a residual of the features.
x3 runs the x4 network and reduces its output by bicubic.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import TransposedConv, conv, he_normal, on_luma, supervise
from jaxsr.models.card import Card


def _bilinear(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """The 4x4 kernel with which a transposed convolution of stride 2 interpolates bilinearly."""
    del key
    taps = jnp.array([0.25, 0.75, 0.75, 0.25], dtype)
    return jnp.outer(taps, taps).reshape(shape)


class Level(nn.Module):
    """Features [N, H, W, C] and image [N, H, W, 1] -> both at twice the size."""

    depth: int
    features: int
    up_size: int
    bias: bool
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array, image: jax.Array) -> tuple[jax.Array, jax.Array]:
        fields = {"bias": self.bias, "kernel_init": he_normal, "dtype": self.dtype}
        for i in range(self.depth):
            x = nn.leaky_relu(conv(x, self.features, 3, f"conv{i}", **fields), 0.2)
        crop = (0, 1) if self.up_size == 3 else (1, 1)
        x = TransposedConv(self.features, self.up_size, 2, crop, name="up", **fields)(x)
        x = nn.leaky_relu(x, 0.2)
        residual = conv(x, 1, 3, "residual", **fields).astype(jnp.float32)
        enlarge = TransposedConv(
            1, 4, 2, (1, 1), bias=False, kernel_init=_bilinear, name="image_up"
        )
        return x, enlarge(image) + residual


class LapSRN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    The images of the inner levels, [N, 2 H, 2 W, 1] and so on, are sown as "supervised". A
    well-known port enlarges the features by 4x4 kernels (`up_size`) and has no biases.
    """

    scale: int
    depth: int = 10
    features: int = 64
    up_size: int = 3
    bias: bool = True
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    @property
    def levels(self) -> int:
        """Doublings until `scale` is reached."""
        return (self.scale - 1).bit_length()

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return on_luma(self._luma, lr, self.scale)

    def _luma(self, image: jax.Array) -> jax.Array:
        _, h, w, _ = image.shape
        small = nn.initializers.normal(0.001)
        x = conv(
            image, self.features, 3, "head", bias=self.bias, kernel_init=small, dtype=self.dtype
        )
        x = nn.leaky_relu(x, 0.2)
        for i in range(self.levels):
            if i > 0:
                supervise(self, image)
            fields = (self.depth, self.features, self.up_size, self.bias, self.dtype)
            x, image = Level(*fields, name=f"level{i}")(x, image)
        size = (self.scale * h, self.scale * w)
        return image if image.shape[1:3] == size else imresize(image, shape=size)


MODELS = {
    "lapsrn": Card(
        build=LapSRN,
        title="Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
        year=2017,
        url="https://arxiv.org/abs/1704.03915",
        upsampling="progressive: transposed conv",
        scales=(2, 3, 4, 8),
        recipe="T91 and BSDS200, Charbonnier loss summed over pixels and levels, HR patches of "
        "128, batches of 64, SGD 1e-5 halved every 50 epochs",
        note="The literature counts 149.4 G Mult-Adds at x4: transposed convolutions at their "
        "output's resolution; and 29.9 G at x2: for an output of 640x360.",
        published={
            2: {
                "Set5": (37.52, 0.9591),
                "Set14": (33.08, 0.9130),
                "BSD100": (31.80, 0.8950),
                "Urban100": (30.41, 0.9101),
                "Manga109": (37.27, 0.9740),
            },
            3: {
                "Set5": (33.82, 0.9227),
                "Set14": (29.87, 0.8320),
                "BSD100": (28.82, 0.7980),
                "Urban100": (27.07, 0.8280),
                "Manga109": (32.21, 0.9350),
            },
            4: {
                "Set5": (31.54, 0.8850),
                "Set14": (28.19, 0.7720),
                "BSD100": (27.32, 0.7270),
                "Urban100": (25.21, 0.7560),
                "Manga109": (29.09, 0.8900),
            },
        },
    )
}
