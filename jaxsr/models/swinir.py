"""SwinIR: Liang et al. 2021, "SwinIR: Image Restoration Using Swin Transformer",
https://arxiv.org/abs/2108.10257.

Head conv, layer norm, residual Swin blocks (`jaxsr/models/swin.py`), layer norm, trunk conv, long
skip, reconstruction. Inside, pixels are RGB minus DIV2K's mean colour. Dense layers and position
biases start as N(0, 0.02), convolutions as in PyTorch.

The image is first padded at the bottom and right, by reflection without the edge pixel, to a
multiple of the window, and only as far as needed: this is BasicSR's test; the authors' script
mirrors with the edge pixel and always adds a window, which changes results near these borders.
"""

import functools
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import DIV2K_MEAN, conv, factors, pixel_shuffle, upsampler
from jaxsr.models.card import Card
from jaxsr.models.swin import ResidualSwinBlock, layer_norm, trunk_conv
from jaxsr.models.upsampling import nearest_conv

Reconstruction = Literal["direct", "sub-pixel", "nearest"]

_WIDTH = 64  # features of the reconstruction


class SwinIR(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    Attributes:
      blocks, layers: residual Swin blocks, and Swin layers in each.
      heads: of the attention; they divide `features`.
      mlp_ratio: hidden features of the perceptron over `features`.
      reconstruction: "direct" (light: one convolution, shuffle), "sub-pixel" (classical: EDSR's
        up-sampler on 64 features), or "nearest" (real world: nearest-neighbour enlargement and
        convolution per factor of two).
      convs: 1 or 3 convolutions at the end of each block and of the trunk; the large real-world
        network has 3.
      drop_path: the rate at which the last layer's branches are dropped in training; it rises
        from 0 linearly over the layers. Draws from the rng "dropout".
      size: LR pixels a side for which the network was built. As in the authors' code, windows
        are not shifted where it does not exceed `window`; otherwise it changes nothing.
      rgb_range: the range of the pixels inside.
    """

    scale: int
    features: int = 180
    blocks: int = 6
    layers: int = 6
    heads: int = 6
    window: int = 8
    mlp_ratio: float = 2.0
    reconstruction: Reconstruction = "sub-pixel"
    convs: int = 1
    drop_path: float = 0.1
    size: int = 64
    rgb_range: float = 1.0
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        h, w = lr.shape[1:3]
        lr = jnp.pad(lr, ((0, 0), (0, -h % self.window), (0, -w % self.window), (0, 0)), "reflect")
        mean = jnp.asarray(DIV2K_MEAN).reshape(1, 1, 1, 3)
        x = head = conv(self.rgb_range * (lr - mean), self.features, 3, "head", dtype=self.dtype)
        x = layer_norm(x, "norm_in", self.dtype)
        last = max(1, self.blocks * self.layers - 1)
        for i in range(self.blocks):
            depth = range(i * self.layers, (i + 1) * self.layers)
            x = ResidualSwinBlock(
                heads=self.heads,
                window=self.window,
                hidden=round(self.features * self.mlp_ratio),
                drops=tuple(self.drop_path * j / last if train else 0.0 for j in depth),
                shifted=self.size > self.window,
                convs=self.convs,
                dtype=self.dtype,
                name=f"block{i}",
            )(x)
        x = layer_norm(x, "norm_out", self.dtype)
        x = head + trunk_conv(x, self.convs, "trunk", self.dtype)
        x = self._reconstruct(x)[:, : self.scale * h, : self.scale * w]
        return x.astype(jnp.float32) / self.rgb_range + mean

    def _reconstruct(self, x: jax.Array) -> jax.Array:
        convolve = functools.partial(conv, dtype=self.dtype)
        if self.reconstruction == "direct":
            return pixel_shuffle(convolve(x, 3 * self.scale**2, 3, "upsample"), self.scale)
        x = nn.leaky_relu(convolve(x, _WIDTH, 3, "before_upsample"), 0.01)
        if self.reconstruction == "sub-pixel":
            x = upsampler(x, _WIDTH, self.scale, dtype=self.dtype)
        else:
            for i, factor in enumerate(factors(self.scale)):
                x = nearest_conv(x, factor, name=f"upsample{i}", dtype=self.dtype)
                x = nn.leaky_relu(x, 0.2)
            x = nn.leaky_relu(convolve(x, _WIDTH, 3, "hr"), 0.2)
        return convolve(x, 3, 3, "tail")


_RECIPE = (
    "L1, Adam 2e-4 (0.9, 0.99) halved at 250,000, 400,000, 450,000 and 475,000 of 500,000 "
    "updates, EMA of 0.999; x3, x4 and x8 start from the trained x2, at half the rate for half "
    "the time"
)
_card = functools.partial(
    Card,
    title="SwinIR: Image Restoration Using Swin Transformer",
    year=2021,
    url="https://arxiv.org/abs/2108.10257",
    upsampling="end: sub-pixel",
)
MODELS = {
    "swinir_light": _card(
        build=functools.partial(SwinIR, features=60, blocks=4, reconstruction="direct"),
        scales=(2, 3, 4),
        recipe=f"DIV2K, LR patches of 64, batches of 64, {_RECIPE}",
        published={
            2: {
                "Set5": (38.14, 0.9611),
                "Set14": (33.86, 0.9206),
                "BSD100": (32.31, 0.9012),
                "Urban100": (32.76, 0.9340),
                "Manga109": (39.12, 0.9783),
            },
            3: {
                "Set5": (34.62, 0.9289),
                "Set14": (30.54, 0.8463),
                "BSD100": (29.20, 0.8082),
                "Urban100": (28.66, 0.8624),
                "Manga109": (33.98, 0.9478),
            },
            4: {
                "Set5": (32.44, 0.8976),
                "Set14": (28.77, 0.7858),
                "BSD100": (27.69, 0.7406),
                "Urban100": (26.47, 0.7980),
                "Manga109": (30.92, 0.9151),
            },
        },
        note="the paper's parameters (878K, 886K, 897K) leave out the position biases (32,400); "
        "its Mult-Adds (195.6, 87.2, 49.6 G) are of a 1024x720 output and a window more, "
        "with the norms, a third of the trunk convolution and 3 of the 3 scale^2 outputs",
    ),
    "swinir": _card(
        build=SwinIR,
        scales=(2, 3, 4, 8),
        recipe=f"DIV2K with LR patches of 48 or DF2K with 64, batches of 32, {_RECIPE}",
        published={
            2: {
                "Set5": (38.42, 0.9623),
                "Set14": (34.46, 0.9250),
                "BSD100": (32.53, 0.9041),
                "Urban100": (33.81, 0.9427),
                "Manga109": (39.92, 0.9797),
            },
            3: {
                "Set5": (34.97, 0.9318),
                "Set14": (30.93, 0.8534),
                "BSD100": (29.46, 0.8145),
                "Urban100": (29.75, 0.8826),
                "Manga109": (35.12, 0.9537),
            },
            4: {
                "Set5": (32.92, 0.9044),
                "Set14": (29.09, 0.7950),
                "BSD100": (27.92, 0.7489),
                "Urban100": (27.45, 0.8254),
                "Manga109": (32.03, 0.9260),
            },
        },
        note="the scores are of DF2K; DIV2K alone gives 38.35, 34.89 and 32.72 dB on Set5. The "
        "literature leaves the position biases (48,600) out of the parameters",
    ),
}
