"""The discriminator of ESRGAN's code: Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution
Generative Adversarial Networks", https://arxiv.org/abs/1809.00219.

Stages of 64, 128, 256, 512 and 512 features, each a convolution 3x3 and one 4x4 of stride 2, all
but the first without bias and with batch norm, LeakyReLU after each; dense 100, LeakyReLU, dense 1.
Five stages for 128x128 pixels; the authors have a sixth, of 512, for 256x256. Pixels are in [0, 1]
inside. PyTorch's default initialisation, as in the authors' code. The paper itself describes
SRGAN's discriminator.
"""

from typing import Any

import jax
from flax import linen as nn

from jaxsr.models.blocks import batch_norm, conv
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import dense_end, leaky, refuse_below


class VGGStyle(nn.Module):
    """Images [N, H, W, 3] in [0, 1], H and W as at initialisation -> logits [N, 1].

    Raises:
      InputError: for a side of less than 2^stages pixels.
    """

    features: int = 64
    stages: int = 5
    dense: int = 100
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        refuse_below(2**self.stages, x, "vgg_style")

        def layer(x: jax.Array, width: int, size: int, name: str) -> jax.Array:
            fields = {"stride": 2 if size == 4 else 1, "padding": 1, "dtype": self.dtype}
            x = conv(x, width, size, f"conv{name}", bias=name == "0_0", **fields)
            if name != "0_0":
                x = batch_norm(x, f"bn{name}", train, dtype=self.dtype)
            return leaky(x)

        for i in range(self.stages):
            width = self.features * min(2**i, 8)
            x = layer(layer(x, width, 3, f"{i}_0"), width, 4, f"{i}_1")
        return dense_end(x, self.dense, dtype=self.dtype)


DISCRIMINATORS = {
    "vgg_style": Card(
        build=VGGStyle,
        title="ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks",
        year=2018,
        url="https://arxiv.org/abs/1809.00219",
        sides="32 or more (with six stages 64)",
    )
}
