"""SRResNet and SRGAN's generator, one network: Ledig et al. 2016, "Photo-Realistic Single Image
Super-Resolution Using a Generative Adversarial Network", https://arxiv.org/abs/1609.04802.

Head conv 9 and PReLU, residual blocks (conv, BN, PReLU, conv, BN), trunk conv and BN, long skip
from the head, sub-pixel layers with PReLU, tail conv 9. LR goes in as it is, in [0, 1]; the tail
gives [-1, 1], which is mapped to [0, 1]. PyTorch's default initialisation, of which the paper says
nothing.

The paper has x4; x2 and x8 have one and three sub-pixel layers of 2, x3 one of 3.
"""

import functools
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import PReLU, batch_norm, conv, upsampler
from jaxsr.models.card import Card

Output = Literal["signed", "tanh", "unit"]


class ResidualBlock(nn.Module):
    """[N, H, W, C] -> the same: conv, BN, PReLU, conv, BN, + input."""

    shared_slope: bool = True
    bias: bool = True
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        fields: dict[str, Any] = {"bias": self.bias, "dtype": self.dtype}
        y = conv(x, x.shape[-1], 3, "conv1", **fields)
        y = batch_norm(y, "bn1", train, dtype=self.dtype)
        y = PReLU(self.shared_slope, name="prelu")(y)
        y = conv(y, x.shape[-1], 3, "conv2", **fields)
        return x + batch_norm(y, "bn2", train, dtype=self.dtype)


class SRResNet(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    `shared_slope` is one slope per PReLU, as in most ports, or one per channel; `bias` whether
    the convolutions before batch norms have biases. `output` is what the tail gives: "signed"
    values in [-1, 1], the same after "tanh", or "unit" for [0, 1], as ports have it.
    """

    scale: int
    blocks: int = 16
    features: int = 64
    shared_slope: bool = True
    bias: bool = True
    output: Output = "signed"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        def prelu(x: jax.Array, name: str) -> jax.Array:
            return PReLU(self.shared_slope, name=name)(x)

        x = head = prelu(conv(lr, self.features, 9, "head", dtype=self.dtype), "head_prelu")
        for i in range(self.blocks):
            block = ResidualBlock(self.shared_slope, self.bias, self.dtype, name=f"block{i}")
            x = block(x, train)
        x = conv(x, self.features, 3, "trunk", bias=self.bias, dtype=self.dtype)
        x = head + batch_norm(x, "trunk_bn", train, dtype=self.dtype)
        x = upsampler(
            x,
            self.features,
            self.scale,
            activation=lambda x, i: prelu(x, f"upsample{i}_prelu"),
            dtype=self.dtype,
        )
        x = conv(x, 3, 9, "tail", dtype=self.dtype).astype(jnp.float32)
        if self.output == "unit":
            return x
        return ((jnp.tanh(x) if self.output == "tanh" else x) + 1) / 2


_card = functools.partial(
    Card,
    build=SRResNet,
    title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
    year=2016,
    url="https://arxiv.org/abs/1609.04802",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4, 8),
)
MODELS = {
    "srresnet": _card(
        recipe="350,000 images of ImageNet, MSE, HR patches of 96, batches of 16, Adam 1e-4, "
        "1,000,000 updates",
        published={4: {"Set5": (32.05, None), "Set14": (28.49, None), "BSD100": (27.58, None)}},
        note="the paper's SSIM is another program's, not comparable, and left out",
    ),
    "srgan": _card(
        recipe="from the trained SRResNet: squared error of VGG19 conv5_4 features after ReLU, "
        "times 0.006, + 0.001 adversarial; HR patches of 96, batches of 16, Adam 1e-4 for 100,000 "
        "updates and 1e-5 for 100,000",
        published={4: {"Set5": (29.40, None), "Set14": (26.02, None), "BSD100": (25.16, None)}},
        note="trained for perception, not for PSNR; the paper's SSIM is another program's, not "
        "comparable, and left out",
    ),
}
