"""SRVGGNetCompact ("Compact"), the small network of Real-ESRGAN: Wang et al. 2021, "Real-ESRGAN:
Training Real-World Blind Super-Resolution with Pure Synthetic Data",
https://arxiv.org/abs/2107.10833; the network itself came later, with the authors' code.

A plain chain in LR space: conv 3 and PReLU (a slope per channel), `layers` times over features,
conv 3 to 3 scale^2, shuffle; the output is added to the LR image enlarged by nearest neighbour.
RGB in [0, 1], no mean. PyTorch's default initialisation.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import PReLU, conv, nearest, pixel_shuffle
from jaxsr.models.card import Card

Activation = Literal["prelu", "relu", "leaky_relu"]


class SRVGG(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    Real-ESRGAN's animation model has 16 `layers` between the first convolution and the last, its
    general model 32; traiNNer-redux calls 8 layers "ultracompact", 8 of 24 features
    "superultracompact".

    Attributes:
      activation: "prelu", "relu" or "leaky_relu" (slope 0.1).
      residual: add the enlarged LR image.
    """

    scale: int
    layers: int = 16
    features: int = 64
    activation: Activation = "prelu"
    residual: bool = True
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        x = lr
        for i in range(self.layers + 1):
            x = self._activate(conv(x, self.features, 3, f"conv{i}", dtype=self.dtype), i)
        x = conv(x, 3 * self.scale**2, 3, "last", dtype=self.dtype)
        sr = pixel_shuffle(x, self.scale).astype(jnp.float32)
        return sr + nearest(lr, self.scale) if self.residual else sr

    def _activate(self, x: jax.Array, i: int) -> jax.Array:
        if self.activation == "prelu":
            return PReLU(name=f"prelu{i}")(x)
        return nn.relu(x) if self.activation == "relu" else nn.leaky_relu(x, 0.1)


MODELS = {
    "srvgg": Card(
        build=SRVGG,
        title="Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
        year=2021,
        url="https://arxiv.org/abs/2107.10833",
        upsampling="end: sub-pixel",
        scales=(1, 2, 3, 4),
        recipe="never published; in practice DIV2K and others under Real-ESRGAN's degradation, "
        "first L1, then L1, VGG19 features and a U-Net discriminator, Adam 1e-4, HR patches of "
        "256, EMA of 0.999",
        note="no scores were published: its degradations have no reference images",
    )
}
