"""MDSR: Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image Super-Resolution",
https://arxiv.org/abs/1707.02921, its network for several scales.

Head conv, two residual blocks of 5x5 kernels per scale, residual blocks and trunk conv shared by
all scales, long skip from the pre-processed features, EDSR's up-sampler per scale, tail conv
shared. No residual scaling. Inside, pixels are RGB in 0..255 minus DIV2K's mean colour. PyTorch's
default initialisation, as in the authors' code.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import DIV2K_MEAN, ResidualBlock, conv, upsampler
from jaxsr.models.card import Card
from jaxsr.models.multiscale import scales_to_run


class Preprocess(nn.Module):
    """What brings the images of one scale to a common footing."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(2):
            x = ResidualBlock(5, dtype=self.dtype, name=f"block{i}")(x)
        return x


class Upsample(nn.Module):
    """One scale's up-sampler: [N, H, W, C] -> [N, scale * H, scale * W, C]."""

    scale: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return upsampler(x, x.shape[-1], self.scale, name="conv", dtype=self.dtype)


class MDSR(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    Holds the parameters of all `scales`, runs `scale`. The paper's MDSR has 80 blocks, the
    baseline 16.
    """

    scale: int
    blocks: int = 80
    features: int = 64
    scales: tuple[int, ...] = (2, 3, 4)
    rgb_range: float = 255.0
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        mean = jnp.asarray(self.rgb_range * DIV2K_MEAN).reshape(1, 1, 1, 3)
        head = conv(self.rgb_range * lr - mean, self.features, 3, "head", dtype=self.dtype)
        scales = scales_to_run(self)
        each = {s: Preprocess(dtype=self.dtype, name=f"preprocess_x{s}")(head) for s in scales}
        x = skip = each[self.scale]
        for i in range(self.blocks):
            x = ResidualBlock(dtype=self.dtype, name=f"block{i}")(x)
        x = skip + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        each = {s: Upsample(s, dtype=self.dtype, name=f"upsample_x{s}")(x) for s in scales}
        x = conv(each[self.scale], 3, 3, "tail", dtype=self.dtype)
        return (x.astype(jnp.float32) + mean) / self.rgb_range


_card = functools.partial(
    Card,
    title="Enhanced Deep Residual Networks for Single Image Super-Resolution",
    year=2017,
    url="https://arxiv.org/abs/1707.02921",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4),
    recipe="DIV2K, L1, LR patches of 48, batches of 16 at one scale drawn at random, Adam 1e-4 "
    "halved every 200,000 updates",
    note="One network for all scales: the parameters are those of all its heads, the Mult-Adds "
    "those of the path of one scale.",
)
MODELS = {
    "mdsr_baseline": _card(build=functools.partial(MDSR, blocks=16)),
    "mdsr": _card(
        build=MDSR,
        published={
            2: {
                "Set5": (38.11, 0.9602),
                "Set14": (33.85, 0.9198),
                "BSD100": (32.29, 0.9007),
                "Urban100": (32.84, 0.9347),
                "Manga109": (38.96, 0.9769),
            },
            3: {
                "Set5": (34.66, 0.9280),
                "Set14": (30.44, 0.8452),
                "BSD100": (29.25, 0.8091),
                "Urban100": (28.79, 0.8655),
                "Manga109": (34.17, 0.9473),
            },
            4: {
                "Set5": (32.50, 0.8973),
                "Set14": (28.72, 0.7857),
                "BSD100": (27.72, 0.7418),
                "Urban100": (26.67, 0.8041),
                "Manga109": (31.11, 0.9148),
            },
        },
    ),
}
