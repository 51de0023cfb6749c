"""SRFeat's generator: Park et al. 2018, "SRFeat: Single Image Super-Resolution with Feature
Discrimination", https://openaccess.thecvf.com/content_ECCV_2018/papers/Seong-Jin_Park_SRFeat_Single_Image_ECCV_2018_paper.pdf.

Head conv 9 without activation, residual blocks (conv, BN, LeakyReLU, conv, BN), sub-pixel layers
with LeakyReLU, tail conv 3. The result of every block but the last also goes through a 1x1 conv of
its own, and all of these are added to the last block's result. Inside, pixels are in [-1, 1].
Kernels start N(0, 0.01), as in the authors' code, which also makes a 16th 1x1 conv that it does not
use.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import batch_norm, conv, upsampler
from jaxsr.models.card import Card

_NORMAL = nn.initializers.normal(0.01)


def _activation(x: jax.Array) -> jax.Array:
    return nn.leaky_relu(x, 0.2)


class ResidualBlock(nn.Module):
    """[N, H, W, C] -> the same: conv, BN, LeakyReLU, conv, BN, + input."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        fields: dict[str, Any] = {"bias": False, "kernel_init": _NORMAL, "dtype": self.dtype}
        y = conv(x, x.shape[-1], 3, "conv1", **fields)
        y = _activation(batch_norm(y, "bn1", train, dtype=self.dtype))
        y = conv(y, x.shape[-1], 3, "conv2", **fields)
        return x + batch_norm(y, "bn2", train, dtype=self.dtype)


class SRFeat(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3]."""

    scale: int
    blocks: int = 16
    features: int = 128
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        fields: dict[str, Any] = {"kernel_init": _NORMAL, "dtype": self.dtype}
        x = conv(2 * lr - 1, self.features, 9, "head", **fields)
        taps = []
        for i in range(self.blocks):
            x = ResidualBlock(self.dtype, name=f"block{i}")(x, train)
            if i < self.blocks - 1:
                taps.append(conv(x, self.features, 1, f"tap{i}", bias=False, **fields))
        x = sum(taps, x)
        x = upsampler(
            x, self.features, self.scale, activation=lambda x, i: _activation(x), **fields
        )
        x = conv(x, 3, 3, "tail", **fields)
        return (x.astype(jnp.float32) + 1) / 2


MODELS = {
    "srfeat": Card(
        build=SRFeat,
        title="SRFeat: Single Image Super-Resolution with Feature Discrimination",
        year=2018,
        url="https://openaccess.thecvf.com/content_ECCV_2018/html/Seong-Jin_Park_SRFeat_Single_Image_ECCV_2018_paper.html",
        upsampling="end: sub-pixel",
        scales=(4,),
        recipe="MSE on HR patches of 296, batches of 9, Adam 1e-4 for 20 epochs, a tenth after "
        "17; then squared error of VGG19 conv5_4 features after ReLU, divided by 12.75, + 0.001 "
        "GAN on images + 0.001 GAN on features for 5 epochs, a tenth after every second, batch "
        "norms frozen",
        published={
            4: {
                "Set5": (32.27, 0.8938),
                "Set14": (28.71, 0.7835),
                "BSD100": (27.64, 0.7378),
            }
        },
        note="scores of the MSE stage, quoted by others; the literature counts 16,384 parameters "
        "more, of a layer that the authors' code makes and does not use",
    )
}
