"""VDSR: Kim et al. 2016, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks",
https://arxiv.org/abs/1511.04587.

Twenty 3x3 convolutions of 64 channels on luma enlarged by bicubic, a ReLU after each but the last,
whose result is added to the enlarged luma. One network serves every scale. A luma network: chroma
of RGB input is enlarged by bicubic.

With 3 `channels` it takes RGB, as in EDSR-PyTorch: inside, pixels are in 0..`rgb_range` minus
DIV2K's mean colour.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import (
    DIV2K_MEAN,
    Channels,
    colour_of,
    conv,
    he_normal,
    on_luma,
    pytorch_bicubic,
)
from jaxsr.models.card import Card


class VDSR(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `depth` counts the convolutions. The parameters do not depend on the scale. `pytorch_bicubic`:
    the enlargement in front is PyTorch's, not MATLAB's.
    """

    scale: int
    depth: int = 20
    features: int = 64
    biases: bool = True
    channels: Channels = 1
    rgb_range: float = 1.0
    pytorch_bicubic: bool = False
    dtype: Any = None  # compute type; parameters stay float32

    @property
    def colour(self) -> str:
        return colour_of(self.channels)

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        if self.channels == 1:
            return on_luma(lambda y: self._network(self._enlarged(y)), lr, self.scale)
        mean = jnp.asarray(self.rgb_range * DIV2K_MEAN).reshape(1, 1, 1, 3)
        sr = self._network(self.rgb_range * self._enlarged(lr) - mean)
        return (sr + mean) / self.rgb_range

    def _enlarged(self, x: jax.Array) -> jax.Array:
        return (pytorch_bicubic if self.pytorch_bicubic else imresize)(x, self.scale)

    def _network(self, x: jax.Array) -> jax.Array:
        fields: dict[str, Any] = {
            "bias": self.biases,
            "kernel_init": he_normal,
            "dtype": self.dtype,
        }
        y = x
        for i in range(self.depth - 1):
            y = nn.relu(conv(y, self.features, 3, f"conv{i}", **fields))
        y = conv(y, self.channels, 3, f"conv{self.depth - 1}", **fields)
        return x + y.astype(jnp.float32)


MODELS = {
    "vdsr": Card(
        build=VDSR,
        title="Accurate Image Super-Resolution Using Very Deep Convolutional Networks",
        year=2016,
        url="https://arxiv.org/abs/1511.04587",
        upsampling="before: bicubic",
        scales=(2, 3, 4),
        recipe="T91 and BSD200, squared error, HR patches of 41 of all three scales in batches of "
        "64, SGD with momentum 0.9 at 0.1, a tenth every 20 of 80 epochs, adjustable clipping",
        published={
            2: {
                "Set5": (37.53, 0.9590),
                "Set14": (33.05, 0.9130),
                "BSD100": (31.90, 0.8960),
                "Urban100": (30.77, 0.9140),
                "Manga109": (37.22, 0.9750),
            },
            3: {
                "Set5": (33.67, 0.9210),
                "Set14": (29.78, 0.8320),
                "BSD100": (28.83, 0.7990),
                "Urban100": (27.14, 0.8290),
                "Manga109": (32.01, 0.9340),
            },
            4: {
                "Set5": (31.35, 0.8830),
                "Set14": (28.02, 0.7680),
                "BSD100": (27.29, 0.7251),
                "Urban100": (25.18, 0.7540),
                "Manga109": (28.83, 0.8870),
            },
        },
        note="without biases, as in some re-implementations, 664,704 parameters",
    )
}
