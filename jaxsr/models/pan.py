"""PAN: Zhao et al. 2020, "Efficient Image Super-Resolution Using Pixel Attention",
https://arxiv.org/abs/2010.01073.

Head conv, self-calibrated blocks with pixel attention, trunk conv, long skip; per up-sampling
stage nearest-neighbour enlargement, conv, pixel attention, conv; tail conv, plus the input
enlarged by bilinear. Pixel attention is a mask in (0, 1) for every pixel of every channel. x4 has
two stages of 2, x2 and x3 one. Pixels are RGB in [0, 1] inside. PyTorch's default initialisation,
as in the authors' code.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import conv, factors, nearest
from jaxsr.models.card import Card


def _leaky(x: jax.Array) -> jax.Array:
    return nn.leaky_relu(x, 0.2)


class SCPA(nn.Module):
    """A self-calibrated block with pixel attention: a plain branch and a masked one, each on half
    of the channels, and the skip. No biases but that of the mask."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        features = x.shape[-1]
        half = {"features": features // 2, "bias": False, "dtype": self.dtype}
        a = _leaky(conv(x, size=1, name="plain_in", **half))
        a = _leaky(conv(a, size=3, name="plain_conv", **half))
        b = _leaky(conv(x, size=1, name="masked_in", **half))
        mask = nn.sigmoid(conv(b, features // 2, 1, "mask", dtype=self.dtype))
        b = mask * conv(b, size=3, name="masked_conv1", **half)
        b = _leaky(conv(b, size=3, name="masked_conv2", **half))
        y = jnp.concatenate([a, b], axis=-1)
        return x + conv(y, features, 1, "fuse", bias=False, dtype=self.dtype)


class UpStage(nn.Module):
    """[N, H, W, C] -> [N, factor * H, factor * W, features]."""

    factor: int
    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = conv(nearest(x, self.factor), self.features, 3, "conv1", dtype=self.dtype)
        mask = nn.sigmoid(conv(x, self.features, 1, "mask", dtype=self.dtype))
        return _leaky(conv(_leaky(mask * x), self.features, 3, "conv2", dtype=self.dtype))


class PAN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3]."""

    scale: int
    blocks: int = 16
    features: int = 40
    up_features: int = 24
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        x = head = conv(lr, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.blocks):
            x = SCPA(self.dtype, name=f"block{i}")(x)
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        for i, factor in enumerate(factors(self.scale)):
            x = UpStage(factor, self.up_features, self.dtype, name=f"up{i}")(x)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return x.astype(jnp.float32) + imresize(lr, self.scale, kernel="bilinear")


MODELS = {
    "pan": Card(
        build=PAN,
        title="Efficient Image Super-Resolution Using Pixel Attention",
        year=2020,
        url="https://arxiv.org/abs/2010.01073",
        upsampling="end: nearest + conv",
        scales=(2, 3, 4),
        recipe="DIV2K + Flickr2K, L1, LR patches of 64, batches of 32, Adam (0.9, 0.99) 7e-4, "
        "cosine to 1e-7 restarted every 250,000 of 1,000,000 updates",
        published={
            2: {
                "Set5": (38.00, None),
                "Set14": (33.59, None),
                "BSD100": (32.18, None),
                "Urban100": (32.01, None),
                "Manga109": (38.70, None),
            },
            4: {
                "Set5": (32.13, 0.8948),
                "Set14": (28.61, 0.7822),
                "BSD100": (27.59, 0.7363),
            },
        },
    ),
}
