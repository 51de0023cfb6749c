"""SRGAN's discriminator: Ledig et al. 2016, "Photo-Realistic Single Image Super-Resolution Using a
Generative Adversarial Network", https://arxiv.org/abs/1609.04802.

Eight convolutions 3x3 of 64 to 512 features, every second of stride 2, with batch norm (but for the
first) and LeakyReLU; dense 1024, LeakyReLU, dense 1. The paper trains on 96x96 pixels. Inside,
pixels are in [-1, 1], as the paper's HR images.

The paper's sigmoid is left to the loss. Convolutions in front of a batch norm have no bias, which
the norm would cancel (23,563,649 parameters at 96 pixels); with `bias` they have, as in other ports
(23,565,505). PyTorch's default initialisation, of which the paper says nothing.
"""

from typing import Any

import jax
from flax import linen as nn

from jaxsr.models.blocks import Initializer, batch_norm, conv
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import dense_end, leaky, pad_as_tensorflow


def convolutions(
    x: jax.Array,
    features: int,
    train: bool,
    *,
    bias: bool,
    kernel_init: Initializer | None = None,
    tensorflow: bool = False,
    dtype: Any = None,
) -> jax.Array:
    """The eight convolutions: [N, H, W, C] -> [N, H / 16, W / 16, 8 * features], rounded up.

    Called "conv1" to "conv8" and "bn2" to "bn8"; to be called in an `nn.compact` method.
    `tensorflow` pads as TensorFlow's SAME.
    """
    for i in range(1, 9):
        width = features * 2 ** ((i - 1) // 2)
        stride = 2 - i % 2
        fields: dict[str, Any] = {"stride": stride, "kernel_init": kernel_init, "dtype": dtype}
        if tensorflow and stride == 2:
            x, fields["padding"] = pad_as_tensorflow(x), 0
        x = conv(x, width, 3, f"conv{i}", bias=bias or i == 1, **fields)
        if i > 1:
            x = batch_norm(x, f"bn{i}", train, dtype=dtype)
        x = leaky(x)
    return x


class SRGAN(nn.Module):
    """Images [N, H, W, 3] in [0, 1], H and W as at initialisation -> logits [N, 1]."""

    features: int = 64
    dense: int = 1024
    bias: bool = False  # of the convolutions in front of a batch norm
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = convolutions(2 * x - 1, self.features, train, bias=self.bias, dtype=self.dtype)
        return dense_end(x, self.dense, dtype=self.dtype)


DISCRIMINATORS = {
    "srgan": Card(
        build=SRGAN,
        title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial "
        "Network",
        year=2016,
        url="https://arxiv.org/abs/1609.04802",
    )
}
