"""IDN: Hui et al. 2018, "Fast and Accurate Single Image Super-Resolution via Information
Distillation Network", https://arxiv.org/abs/1803.09454.

A luma network: two convolutions, four information distillation blocks, a 17x17 transposed
convolution, + the bicubic image. A leaky ReLU (0.05) follows every convolution but the
transposed one. Caffe's MSRA initialisation by the mean of fan-in and fan-out.

The authors' transposed convolution leaves out the first scale - 1 rows and columns of the HR grid
(and they cut the bicubic image alike); here it has the same phase and the full size.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import Padding, TransposedConv, conv, on_luma
from jaxsr.models.card import Card

_init = nn.initializers.variance_scaling(2.0, "fan_avg", "normal")


class DistillationBlock(nn.Module):
    """[N, H, W, C] -> the same.

    After three convolutions a quarter of the channels, d = C / 4, is kept aside; the others go
    through three more, to C + d. Block input and what was kept are added, a 1x1 follows.
    """

    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        c, d = self.features, self.features // 4
        y = self._layer(x, c - d, "conv1")
        y = self._layer(y, c - 2 * d, "conv2", groups=4)
        y = self._layer(y, c, "conv3")
        kept, y = y[..., :d], y[..., d:]
        y = self._layer(y, c, "conv4")
        y = self._layer(y, c - d, "conv5", groups=4)
        y = self._layer(y, c + d, "conv6")
        y = y + jnp.concatenate([x, kept], axis=-1)
        return self._layer(y, c, "down", size=1)

    def _layer(
        self, x: jax.Array, features: int, name: str, size: int = 3, groups: int = 1
    ) -> jax.Array:
        x = conv(x, features, size, name, groups=groups, kernel_init=_init, dtype=self.dtype)
        return nn.leaky_relu(x, 0.05)


class IDN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `padding` "edge" surrounds the LR image by one replicated pixel before the network, which
    zero-pads inside, as the public weights are used. `features` must divide by 16.
    """

    scale: int
    blocks: int = 4
    features: int = 64
    padding: Padding = "zero"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return on_luma(self._luma, lr, self.scale)

    def _luma(self, image: jax.Array) -> jax.Array:
        border = 1 if self.padding == "edge" else 0
        x = jnp.pad(image, ((0, 0), (border, border), (border, border), (0, 0)), mode="edge")
        for name in ("conv1", "conv2"):
            x = conv(x, self.features, 3, name, kernel_init=_init, dtype=self.dtype)
            x = nn.leaky_relu(x, 0.05)
        for i in range(self.blocks):
            x = DistillationBlock(self.features, self.dtype, name=f"block{i}")(x)
        # Tap 8 of LR pixel i lies on HR pixel scale * i + scale - 1.
        crop = (9 - self.scale + self.scale * border, 8 + self.scale * border)
        x = TransposedConv(
            1, 17, self.scale, crop, kernel_init=_init, dtype=self.dtype, name="upsample"
        )(x)
        return imresize(image, self.scale) + x.astype(jnp.float32)


MODELS = {
    "idn": Card(
        build=IDN,
        title="Fast and Accurate Single Image Super-Resolution via Information Distillation "
        "Network",
        year=2018,
        url="https://arxiv.org/abs/1803.09454",
        upsampling="end: transposed conv",
        scales=(2, 3, 4),
        recipe="291 images, L1, HR patches of 57, 43, 41 (x2, x3, x4), batches of 64, Adam 1e-4, "
        "times 0.1 at 250,000 and 600,000 updates, biases and transposed convolution at a tenth",
        published={2: {"Set5": (37.83, None)}},
    )
}
