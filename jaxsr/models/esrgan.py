"""ESRGAN's generator (RRDBNet): Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution Generative
Adversarial Networks", https://arxiv.org/abs/1809.00219.

Head conv, residual-in-residual dense blocks, trunk conv, long skip, per factor of two a nearest
enlargement, conv and LeakyReLU, then conv, LeakyReLU, tail conv. No batch norm, no mean shift. The
convolutions of the dense blocks start He-normal times 0.1 with zero biases, the others as in
PyTorch, as in the authors' code.

The paper has x4. Scales 1 and 2 are those of Real-ESRGAN (Wang et al. 2021,
https://arxiv.org/abs/2107.10833): the same x4 body on the image pixel-unshuffled by 4 or 2; sizes
that do not divide are mirrored to the right and below. Scale 3 enlarges once, 8 three times.
"""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.models.blocks import conv, factors, nearest, pixel_unshuffle
from jaxsr.models.card import Card

# He normal with the weights, not the variance, times 0.1.
_SMALL = nn.initializers.variance_scaling(2.0 * 0.1**2, "fan_in", "normal")


class DenseBlock(nn.Module):
    """[N, H, W, C] -> the same: five convolutions, each on all results before, times 0.2, + input.

    `plus` adds ESRGAN+'s residuals (Rakotonirina and Rasoanaivo 2020,
    https://arxiv.org/abs/2001.08073) from the input, by a 1x1 conv, to the second result and from
    the second to the fourth.
    """

    growth: int
    plus: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        grown = [x]
        for i in range(1, 5):
            y = conv(
                jnp.concatenate(grown, axis=-1),
                self.growth,
                3,
                f"conv{i}",
                kernel_init=_SMALL,
                dtype=self.dtype,
            )
            y = nn.leaky_relu(y, 0.2)
            if self.plus and i == 2:
                y = y + conv(x, self.growth, 1, "conv1x1", bias=False, dtype=self.dtype)
            if self.plus and i == 4:
                y = y + grown[2]
            grown.append(y)
        y = jnp.concatenate(grown, axis=-1)
        y = conv(y, x.shape[-1], 3, "conv5", kernel_init=_SMALL, dtype=self.dtype)
        return x + 0.2 * y


class RRDB(nn.Module):
    """[N, H, W, C] -> the same: three dense blocks, times 0.2, + input."""

    growth: int
    plus: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = x
        for i in range(1, 4):
            y = DenseBlock(self.growth, self.plus, self.dtype, name=f"dense{i}")(y)
        return x + 0.2 * y


class RRDBNet(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The body enlarges by `scale * unshuffle`, a power of two or 3, the input being pixel-unshuffled
    by `unshuffle`.
    """

    scale: int
    blocks: int = 23
    features: int = 64
    growth: int = 32
    unshuffle: int = 1
    plus: bool = False  # ESRGAN+'s additional residuals
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @property
    def steps(self) -> tuple[int, ...]:
        """The body's enlargements."""
        return factors(self.scale * self.unshuffle)

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        h, w = lr.shape[1:3]
        x = lr
        if self.unshuffle > 1:
            missing = ((0, 0), (0, -h % self.unshuffle), (0, -w % self.unshuffle), (0, 0))
            x = pixel_unshuffle(jnp.pad(lr, missing, mode="reflect"), self.unshuffle)
        x = head = conv(x, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.blocks):
            x = RRDB(self.growth, self.plus, self.dtype, name=f"block{i}")(x)
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        for i, factor in enumerate(self.steps):
            x = conv(nearest(x, factor), self.features, 3, f"upsample{i}", dtype=self.dtype)
            x = nn.leaky_relu(x, 0.2)
        x = nn.leaky_relu(conv(x, self.features, 3, "hr", dtype=self.dtype), 0.2)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return x[:, : h * self.scale, : w * self.scale].astype(jnp.float32)


def usual_unshuffle(scale: int) -> int:
    """What brings scales 1 and 2 to the body of x4; 1 for the others."""
    return {1: 4, 2: 2}.get(scale, 1)


def _build(*, scale: int, unshuffle: int | None = None, **fields: Any) -> RRDBNet:
    unshuffle = usual_unshuffle(scale) if unshuffle is None else unshuffle
    body = scale * unshuffle
    if math.prod(factors(body)) != body:
        raise InputError(f"esrgan x{scale} has no unshuffle {unshuffle}; leave it out")
    return RRDBNet(scale, unshuffle=unshuffle, **fields)


MODELS = {
    "esrgan": Card(
        build=_build,
        title="ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks",
        year=2018,
        url="https://arxiv.org/abs/1809.00219",
        upsampling="end: nearest + conv",
        scales=(1, 2, 3, 4, 8),
        recipe="first L1 on DIV2K and Flickr2K, HR patches of 192, batches of 16, Adam 2e-4 halved "
        "every 200,000 updates; then L1 of VGG19 conv5_4 before ReLU + 0.005 relativistic average "
        "GAN + 0.01 L1, HR patches of 128, Adam 1e-4 halved at 50, 100, 200 and 300 of 400 "
        "thousand updates",
        published={
            4: {
                "Set5": (32.73, 0.9011),
                "Set14": (28.99, 0.7917),
                "BSD100": (27.85, 0.7455),
                "Urban100": (27.03, 0.8153),
                "Manga109": (31.66, 0.9196),
            }
        },
        note="scores of the L1 stage on DIV2K and Flickr2K; the adversarial one trades PSNR for "
        "texture (Set5 30.45 dB). Scales 1 and 2 are Real-ESRGAN's networks",
    )
}
