"""ESPCN: Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient
Sub-Pixel Convolutional Neural Network", https://arxiv.org/abs/1609.05158.

Three convolutions in LR space, then the sub-pixel layer: conv 5 1->64, tanh, conv 3 64->32, tanh,
conv 3 32->scale^2, shuffle. No activation at the output. A luma network: chroma of RGB input is
enlarged by bicubic. With 3 `channels` it takes RGB.

What the paper leaves open: the kernels before tanh start with variance 1/fan-in, the last as in
PyTorch, and luma is centred to [-0.5, 0.5] inside, which conditions the training better and makes
the zeros around the image mid-gray. Other programs do not centre it; one ends with a sigmoid.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import Channels, colour_of, conv, on_luma, pixel_shuffle
from jaxsr.models.card import Card

_FOR_TANH = nn.initializers.variance_scaling(1.0, "fan_in", "uniform")


class ESPCN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `centred`: pixels are lowered by 0.5 inside. `sigmoid`: its result, before that is undone, goes
    through a sigmoid.
    """

    scale: int
    centred: bool = True
    sigmoid: bool = False
    icnr: bool = False  # start the sub-pixel layer as nearest-neighbour enlargement
    channels: Channels = 1
    dtype: Any = None  # compute type; parameters stay float32

    @property
    def colour(self) -> str:
        return colour_of(self.channels)

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return self._network(lr) if self.channels == 3 else on_luma(self._network, lr, self.scale)

    def _network(self, x: jax.Array) -> jax.Array:
        centre = 0.5 if self.centred else 0.0
        x = jnp.tanh(conv(x - centre, 64, 5, "conv1", dtype=self.dtype, kernel_init=_FOR_TANH))
        x = jnp.tanh(conv(x, 32, 3, "conv2", dtype=self.dtype, kernel_init=_FOR_TANH))
        shuffle = self.scale if self.icnr else 1
        x = conv(x, self.channels * self.scale**2, 3, "conv3", dtype=self.dtype, shuffle=shuffle)
        x = pixel_shuffle(x, self.scale).astype(jnp.float32)
        return (nn.sigmoid(x) if self.sigmoid else x) + centre


MODELS = {
    "espcn": Card(
        build=ESPCN,
        title="Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel "
        "Convolutional Neural Network",
        year=2016,
        url="https://arxiv.org/abs/1609.05158",
        upsampling="end: sub-pixel",
        scales=(2, 3, 4),
        recipe="T91 or 50,000 images of ImageNet, squared error, HR patches of 17 times the scale, "
        "learning rate 0.01 down to 0.0001 whenever the loss is flat",
        published={
            3: {"Set5": (33.13, None), "Set14": (29.49, None)},
            4: {"Set5": (30.76, None), "Set14": (27.66, None), "BSD100": (27.02, None)},
        },
        note="scores of the network trained on ImageNet, quoted by others: x4 by the SRGAN paper, "
        "whose SSIM is another program's and left out",
    )
}
