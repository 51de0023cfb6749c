"""MSRResNet: the modified SRResNet of Wang et al. 2018 ("ESRGAN", https://arxiv.org/abs/1809.00219)
and of the toolboxes, which call it SRResNet.

Not the SRResNet of Ledig et al.: no batch norm, head conv 3 and LeakyReLU, residual blocks (conv,
ReLU, conv), sub-pixel layers with LeakyReLU, an additional conv in HR space, and the bilinear
enlargement of the input added to the result. All slopes are 0.1. Kernels start He-normal times
0.1, biases 0, as in the toolbox.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import ResidualBlock, conv, upsampler
from jaxsr.models.card import Card

_SMALL = nn.initializers.variance_scaling(2.0 * 0.1**2, "fan_in", "normal")


def _activation(x: jax.Array) -> jax.Array:
    return nn.leaky_relu(x, 0.1)


class MSRResNet(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    mmagic's has no activation in the up-sampler: `activate_upsampler` False.
    """

    scale: int
    blocks: int = 16
    features: int = 64
    activate_upsampler: bool = True
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        fields: dict[str, Any] = {"kernel_init": _SMALL, "dtype": self.dtype}
        x = _activation(conv(lr, self.features, 3, "head", **fields))
        for i in range(self.blocks):
            x = ResidualBlock(**fields, name=f"block{i}")(x)
        after = _activation if self.activate_upsampler else lambda x: x
        x = upsampler(x, self.features, self.scale, activation=lambda x, i: after(x), **fields)
        x = _activation(conv(x, self.features, 3, "hr", **fields))
        x = conv(x, 3, 3, "tail", **fields)
        return x.astype(jnp.float32) + imresize(lr, self.scale, kernel="bilinear")


MODELS = {
    "msrresnet": Card(
        build=MSRResNet,
        title="ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks (its SRResNet)",
        year=2018,
        url="https://arxiv.org/abs/1809.00219",
        upsampling="end: sub-pixel",
        scales=(2, 3, 4),
        recipe="DIV2K, L1, LR patches of 32, batches of 16, Adam 2e-4 with a cosine to 1e-7 "
        "restarted every 250,000 of 1,000,000 updates, average of the weights 0.999",
        note="no scores on luma in the literature; BasicSR prints, of RGB, 35.75, 32.40 and "
        "30.25 dB on Set5 for x2, x3 and x4",
    )
}
