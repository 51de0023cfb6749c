"""PatchGAN: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
https://arxiv.org/abs/1611.07004; here without the condition, of images alone.

Convolutions 4x4 padded by 1: three of stride 2 with 64, 128 and 256 features, one of 512, and one
to a map of logits, each of which judges a patch of 70x70 pixels; batch norm on all but the first
and the last, LeakyReLU. Pixels are in [-1, 1] inside. Kernels start N(0, 0.02), the norms' scales
N(1, 0.02), as in the authors' code; the paper's sigmoid is left to the loss.

With `norm` "spectral" every convolution is spectrally normalised instead, and has a bias, as
super-resolution's toolboxes have it (2,764,737 parameters; with batch norm 2,765,633).
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.models.blocks import Initializer, batch_norm, conv
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import leaky, refuse_below
from jaxsr.models.discriminators.spectral import SpectralConv

_KERNEL: Initializer = nn.initializers.normal(0.02)


def _scale(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    return 1 + _KERNEL(key, shape, dtype)


class PatchGAN(nn.Module):
    """Images [N, H, W, 3] in [0, 1] -> logits [N, H / 8 - 2, W / 8 - 2, 1], rounded down.

    With other `layers` than three, the convolutions of stride 2, the 8 is 2^layers.

    Raises:
      InputError: for a side of less than 3 * 2^layers pixels, or an unknown norm.
    """

    features: int = 64
    layers: int = 3
    norm: Literal["batch", "spectral"] = "batch"
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        if self.norm not in ("batch", "spectral"):
            raise InputError(f"patchgan has no norm '{self.norm}'; it has 'batch', 'spectral'")
        refuse_below(3 * 2**self.layers, x, "patchgan")
        spectral = self.norm == "spectral"

        def layer(x: jax.Array, width: int, i: int, normed: bool = True) -> jax.Array:
            stride = 2 if i < self.layers else 1
            fields: dict[str, Any] = {"kernel_init": _KERNEL, "dtype": self.dtype}
            fields |= {"stride": stride, "padding": 1, "name": f"conv{i}"}
            if spectral:
                return SpectralConv(width, 4, bias=True, **fields)(x, train)
            x = conv(x, width, 4, bias=not normed, **fields)
            if normed:
                x = batch_norm(x, f"bn{i}", train, scale_init=_scale, dtype=self.dtype)
            return x

        x = leaky(layer(2 * x - 1, self.features, 0, normed=False))
        for i in range(1, self.layers + 1):
            x = leaky(layer(x, self.features * min(2**i, 8), i))
        return layer(x, 1, self.layers + 1, normed=False).astype(jnp.float32)


DISCRIMINATORS = {
    "patchgan": Card(
        build=PatchGAN,
        title="Image-to-Image Translation with Conditional Adversarial Networks",
        year=2017,
        url="https://arxiv.org/abs/1611.07004",
        sides="24 or more",
    )
}
