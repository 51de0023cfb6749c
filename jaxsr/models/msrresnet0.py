"""MSRResNet0: the modified SRResNet as ESRGAN's authors had it first, before MSRResNet
(Wang et al. 2018, https://arxiv.org/abs/1809.00219); KAIR trains it by default.

Head conv, residual blocks (conv, ReLU, conv), trunk conv, long skip; nearest enlargement, conv and
ReLU per factor of two, or once for x3; conv, ReLU and tail conv in HR space. No image is added.
Kernels start orthogonal times 0.2, biases 0, as in KAIR.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import ResidualBlock, conv, factors, nearest
from jaxsr.models.card import Card

_INIT = nn.initializers.orthogonal(0.2)


class MSRResNet0(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    `tail_bias`: whether the last convolution has biases: the authors' has, KAIR's has not.
    """

    scale: int
    blocks: int = 16
    features: int = 64
    tail_bias: bool = False
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        fields: dict[str, Any] = {"kernel_init": _INIT, "dtype": self.dtype}
        x = head = conv(lr, self.features, 3, "head", **fields)
        for i in range(self.blocks):
            x = ResidualBlock(**fields, name=f"block{i}")(x)
        x = head + conv(x, self.features, 3, "trunk", **fields)
        for i, factor in enumerate(factors(self.scale)):
            x = nn.relu(conv(nearest(x, factor), self.features, 3, f"upsample{i}", **fields))
        x = nn.relu(conv(x, self.features, 3, "hr", **fields))
        x = conv(x, 3, 3, "tail", bias=self.tail_bias, **fields)
        return x.astype(jnp.float32)


MODELS = {
    "msrresnet0": Card(
        build=MSRResNet0,
        title="ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks (its first "
        "SRResNet)",
        year=2018,
        url="https://arxiv.org/abs/1809.00219",
        upsampling="end: nearest + conv",
        scales=(2, 3, 4, 8),
        recipe="L1, HR patches of 96, batches of 32, Adam 1e-4 halved at 200, 400, 600, 800 and "
        "1000 thousand updates",
        note="no scores in the literature; the recipe is KAIR's. With biases of the tail 3 more "
        "parameters",
    )
}
