"""EnhanceNet's discriminator: Sajjadi et al. 2017, "EnhanceNet: Single Image Super-Resolution
Through Automated Texture Synthesis", https://arxiv.org/abs/1612.07919.

For 32, 64, 128, 256 and 512 features a convolution 3x3 and one of stride 2, each with LeakyReLU, no
norm; dense 1024, LeakyReLU, dense 1. The paper trains on 128x128 pixels. Inside, the mean colour is
subtracted, as in the generator.

The paper's sigmoid is left to the loss. It does not say how strided convolutions are padded and how
kernels start: the former is TensorFlow's SAME, which the authors use, the latter as the generator's
(Xavier uniform, zero biases).
"""

from typing import Any

import jax
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.models.blocks import conv
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import dense_end, leaky, pad_as_tensorflow
from jaxsr.models.enhancenet import MEAN


class EnhanceNet(nn.Module):
    """Images [N, H, W, 3] in [0, 1], H and W as at initialisation -> logits [N, 1]."""

    features: int = 32
    dense: int = 1024
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        if x.shape[-1] != 3:
            raise InputError(f"discriminator enhancenet takes RGB, not {x.shape[-1]} channels")
        fields: dict[str, Any] = {
            "kernel_init": nn.initializers.xavier_uniform(),
            "dtype": self.dtype,
        }
        x = x - MEAN.reshape(1, 1, 1, 3)
        for i in range(5):
            width = self.features * 2**i
            x = leaky(conv(x, width, 3, f"conv{i}_0", **fields))
            x = pad_as_tensorflow(x)
            x = leaky(conv(x, width, 3, f"conv{i}_1", stride=2, padding=0, **fields))
        return dense_end(x, self.dense, **fields)


DISCRIMINATORS = {
    "enhancenet": Card(
        build=EnhanceNet,
        title="EnhanceNet: Single Image Super-Resolution Through Automated Texture Synthesis",
        year=2017,
        url="https://arxiv.org/abs/1612.07919",
    )
}
