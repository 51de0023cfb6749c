"""IMDN: Hui et al. 2019, "Lightweight Image Super-Resolution with Information Multi-distillation
Network", https://arxiv.org/abs/1909.11856.

Head conv, distillation blocks in series, their outputs together through a 1x1 conv, trunk conv,
long skip, one sub-pixel layer of the scale. Pixels are RGB in [0, 1] inside. PyTorch's default
initialisation, as in the authors' code.

At scale 1 it is the authors' IMDN_AS, for images that have their final size already, enlarged by
whatever factor: two convolutions of stride 2 in front, and a sub-pixel layer of 4.

Deviation: the standard deviation of a constant channel is 1e-6 instead of 0, where the root's
slope is infinite. IMDN_AS continues the border of images whose sides are no multiples of 4; the
authors cut them into parts that are.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import conv, pixel_shuffle
from jaxsr.models.card import Card


def _leaky(x: jax.Array) -> jax.Array:
    return nn.leaky_relu(x, 0.05)


class ContrastAttention(nn.Module):
    """Scales each channel by what its mean plus standard deviation over the image tell.

    Its statistics are float32 whatever the compute type.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        wide = x.astype(jnp.float32)
        mean = jnp.mean(wide, axis=(1, 2), keepdims=True)
        variance = jnp.var(wide, axis=(1, 2), keepdims=True)
        contrast = jnp.sqrt(jnp.maximum(variance, 1e-12))
        y = nn.relu(conv(mean + contrast, x.shape[-1] // 16, 1, "squeeze"))
        return x * nn.sigmoid(conv(y, x.shape[-1], 1, "excite")).astype(x.dtype)


class DistillationBlock(nn.Module):
    """Three convolutions, each of which keeps a quarter of its channels and hands on the rest; a
    fourth on the last rest; the kept ones, weighted by attention and mixed, plus the input."""

    attention: bool
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        features = x.shape[-1]
        kept, rest = [], x
        for i in (1, 2, 3):
            y = _leaky(conv(rest, features, 3, f"conv{i}", dtype=self.dtype))
            distilled, rest = jnp.split(y, [features // 4], axis=-1)
            kept.append(distilled)
        kept.append(conv(rest, features // 4, 3, "conv4", dtype=self.dtype))
        y = jnp.concatenate(kept, axis=-1)
        if self.attention:
            y = ContrastAttention(name="attention")(y)
        return x + conv(y, features, 1, "fuse", dtype=self.dtype)


class IMDN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The variant "aim2019" is the authors' entry to the AIM 2019 challenge (there with 8 blocks):
    no attention, and the trunk sees the last block alone.
    """

    scale: int
    blocks: int = 6
    features: int = 64
    variant: Literal["paper", "aim2019"] = "paper"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        paper = self.variant == "paper"
        h, w = lr.shape[1:3]
        x, stride, factor = lr, 1, self.scale
        if self.scale == 1:
            stride, factor = 2, 4
            x = jnp.pad(lr, ((0, 0), (0, -h % 4), (0, -w % 4), (0, 0)), mode="edge")
            x = _leaky(conv(x, self.features, 3, "reduce", stride=stride, dtype=self.dtype))
        x = head = conv(x, self.features, 3, "head", stride=stride, dtype=self.dtype)
        outputs = []
        for i in range(self.blocks):
            x = DistillationBlock(paper, self.dtype, name=f"block{i}")(x)
            outputs.append(x)
        if paper:
            x = jnp.concatenate(outputs, axis=-1)
            x = _leaky(conv(x, self.features, 1, "fuse", dtype=self.dtype))
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        x = conv(x, 3 * factor**2, 3, "upsample", dtype=self.dtype)
        sr = pixel_shuffle(x, factor)[:, : h * self.scale, : w * self.scale]
        return sr.astype(jnp.float32)


MODELS = {
    "imdn": Card(
        build=IMDN,
        title="Lightweight Image Super-Resolution with Information Multi-distillation Network",
        year=2019,
        url="https://arxiv.org/abs/1909.11856",
        upsampling="end: sub-pixel",
        scales=(1, 2, 3, 4),
        recipe="DIV2K, L1, HR patches of 192, batches of 16, Adam 2e-4 halved every 200,000 of "
        "1,000,000 updates",
        published={
            2: {
                "Set5": (38.00, 0.9605),
                "Set14": (33.63, 0.9177),
                "BSD100": (32.19, 0.8996),
                "Urban100": (32.17, 0.9283),
                "Manga109": (38.88, 0.9774),
            },
            3: {
                "Set5": (34.36, 0.9270),
                "Set14": (30.32, 0.8417),
                "BSD100": (29.09, 0.8046),
                "Urban100": (28.17, 0.8519),
                "Manga109": (33.61, 0.9445),
            },
            4: {
                "Set5": (32.21, 0.8948),
                "Set14": (28.58, 0.7811),
                "BSD100": (27.56, 0.7353),
                "Urban100": (26.04, 0.7838),
                "Manga109": (30.45, 0.9075),
            },
        },
        note="scale 1 is IMDN_AS, for images that have their final size already",
    ),
}
