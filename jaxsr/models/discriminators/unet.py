"""Real-ESRGAN's discriminator: Wang et al. 2021, "Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data", https://arxiv.org/abs/2107.10833.

A U-Net that gives a logit for every pixel. Conv 3x3; down by three convolutions 4x4 of stride 2 to
128, 256 and 512 features; up by three bilinear enlargements, each with a conv 3x3 and, after its
activation, the result of the same size from the way down added; two convolutions 3x3, and one to
the logits. LeakyReLU after all but the last. All but the first and last convolutions are spectrally
normalised and have no bias. Pixels are in [0, 1] inside. PyTorch's default initialisation, as in
the authors' code.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxsr.errors import InputError
from jaxsr.models.blocks import conv
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import leaky
from jaxsr.models.discriminators.spectral import SpectralConv


def bilinear_twice(x: jax.Array) -> jax.Array:
    """PyTorch's bilinear enlargement by 2: half-pixel centres, the border replicated.

    By slices: a gather, as of a general resize, would scatter in the backward pass.
    """
    for axis in (1, 2):
        n = x.shape[axis]
        padded = jnp.pad(x, [(1, 1) if i == axis else (0, 0) for i in range(4)], mode="edge")
        before, after = (lax.slice_in_dim(padded, k, k + n, axis=axis) for k in (0, 2))
        phases = [0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after]
        shape = (*x.shape[:axis], 2 * n, *x.shape[axis + 1 :])
        x = jnp.stack(phases, axis=axis + 1).reshape(shape)
    return x


class UNet(nn.Module):
    """Images [N, H, W, 3] in [0, 1] -> logits [N, H, W, 1].

    Raises:
      InputError: unless H and W are multiples of 8.
    """

    features: int = 64
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        h, w = x.shape[1:3]
        if h % 8 or w % 8 or not h * w:
            raise InputError(
                f"discriminator unet takes images whose sides are multiples of 8, not {h}x{w} "
                "pixels; give it such patches"
            )

        def spectral(x: jax.Array, width: int, size: int, i: int) -> jax.Array:
            fields: dict[str, Any] = {"stride": 2 if size == 4 else 1, "dtype": self.dtype}
            return leaky(SpectralConv(width, size, name=f"conv{i}", **fields)(x, train))

        x = leaky(conv(x, self.features, 3, "conv0", dtype=self.dtype))
        down = []
        for i in range(1, 4):
            down.append(x)
            x = spectral(x, self.features * 2**i, 4, i)
        for i, skip in enumerate(reversed(down), 4):
            x = skip + spectral(bilinear_twice(x), skip.shape[-1], 3, i)
        for i in (7, 8):
            x = spectral(x, self.features, 3, i)
        return conv(x, 1, 3, "conv9", dtype=self.dtype).astype(jnp.float32)


DISCRIMINATORS = {
    "unet": Card(
        build=UNet,
        title="Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
        year=2021,
        url="https://arxiv.org/abs/2107.10833",
        sides="multiples of 8",
    )
}
