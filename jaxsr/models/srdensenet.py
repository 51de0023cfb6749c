"""SRDenseNet: Tong et al. 2017, "Image Super-Resolution Using Dense Skip Connections", ICCV,
https://openaccess.thecvf.com/content_iccv_2017/html/Tong_Image_Super-Resolution_Using_ICCV_2017_paper.html.

The paper's best variant, SRDenseNet_All, a luma network: conv, eight dense blocks whose outputs
all reach a 1x1 bottleneck, a transposed convolution per factor of two, conv. ReLU everywhere but
at the output. He initialisation.

As in the ports from which the network is known, only the first layer of a block sees the block's
input; the others see the outputs of the layers before them. The paper has x4 only; x2 is the same
with one transposed convolution.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import TransposedConv, conv, factors, he_normal, on_luma
from jaxsr.models.card import Card


class DenseBlock(nn.Module):
    """[N, H, W, C] -> [N, H, W, layers * growth]: the outputs of all layers."""

    layers: int
    growth: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        fields = {"kernel_init": he_normal, "dtype": self.dtype}
        new = nn.relu(conv(x, self.growth, 3, "conv0", **fields))
        for i in range(1, self.layers):
            y = nn.relu(conv(new, self.growth, 3, f"conv{i}", **fields))
            new = jnp.concatenate([new, y], axis=-1)
        return new


class SRDenseNet(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same]."""

    scale: int
    blocks: int = 8
    layers: int = 8
    growth: int = 16
    features: int = 256  # from the bottleneck on
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return on_luma(self._luma, lr, self.scale)

    def _luma(self, x: jax.Array) -> jax.Array:
        fields = {"kernel_init": he_normal, "dtype": self.dtype}
        x = nn.relu(conv(x, self.layers * self.growth, 3, "head", **fields))
        for i in range(self.blocks):
            new = DenseBlock(self.layers, self.growth, self.dtype, name=f"block{i}")(x)
            x = jnp.concatenate([x, new], axis=-1)
        x = nn.relu(conv(x, self.features, 1, "bottleneck", **fields))
        for i in range(len(factors(self.scale))):
            up = TransposedConv(self.features, 3, 2, (1, 0), name=f"upsample{i}", **fields)
            x = nn.relu(up(x))
        return conv(x, 1, 3, "tail", **fields).astype(jnp.float32)


MODELS = {
    "srdensenet": Card(
        build=SRDenseNet,
        title="Image Super-Resolution Using Dense Skip Connections",
        year=2017,
        url="https://openaccess.thecvf.com/content_iccv_2017/html/"
        "Tong_Image_Super-Resolution_Using_ICCV_2017_paper.html",
        upsampling="end: transposed conv",
        scales=(2, 4),
        recipe="50,000 images of ImageNet, MSE, HR patches of 100, batches of 32, Adam 1e-4, times "
        "0.1 after 80 % of 60 epochs",
        note="The paper has x4 only.",
        published={
            4: {
                "Set5": (32.02, 0.8934),
                "Set14": (28.50, 0.7782),
                "BSD100": (27.53, 0.7337),
                "Urban100": (26.05, 0.7819),
            }
        },
    )
}
