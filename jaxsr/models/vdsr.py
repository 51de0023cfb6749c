"""VDSR: Kim et al. 2016, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks",
https://arxiv.org/abs/1511.04587.

Twenty 3x3 convolutions of 64 channels on luma enlarged by bicubic, a ReLU after each but the last,
whose result is added to the enlarged luma. One network serves every scale. A luma network: chroma
of RGB input is enlarged by bicubic.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import conv, he_normal, on_enlarged_luma
from jaxsr.models.card import Card


class VDSR(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `depth` counts the convolutions. The parameters do not depend on the scale.
    """

    scale: int
    depth: int = 20
    features: int = 64
    biases: bool = True
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return on_enlarged_luma(self._luma, lr, self.scale)

    def _luma(self, x: jax.Array) -> jax.Array:
        fields: dict[str, Any] = {"bias": self.biases, "init": he_normal, "dtype": self.dtype}
        y = x
        for i in range(self.depth - 1):
            y = nn.relu(conv(y, self.features, 3, f"conv{i}", **fields))
        y = conv(y, 1, 3, f"conv{self.depth - 1}", **fields)
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
