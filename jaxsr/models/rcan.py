"""RCAN: Zhang et al. 2018, "Image Super-Resolution Using Very Deep Residual Channel Attention
Networks", https://arxiv.org/abs/1807.02758.

Head conv, residual groups, trunk conv, long skip, EDSR's up-sampler, tail conv. A group: residual
channel attention blocks and a conv, plus the group's input. A block: conv, ReLU, conv, each
channel times its attention (global mean, 1x1 conv to C / reduction, ReLU, 1x1 conv, sigmoid),
plus the block's input. Inside, pixels are RGB in 0..255 minus DIV2K's mean colour. PyTorch's
default initialisation, as in the authors' code.

The attention sees the whole image: tiles give other results than the image at once.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import DIV2K_MEAN, conv, upsampler
from jaxsr.models.card import Card
from jaxsr.models.mean_shift import MeanShift


class AttentionBlock(nn.Module):
    """Residual channel attention block: [N, H, W, C] -> the same."""

    reduction: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        features = x.shape[-1]
        y = nn.relu(conv(x, features, 3, "conv1", dtype=self.dtype))
        y = conv(y, features, 3, "conv2", dtype=self.dtype)
        attention = jnp.mean(y, axis=(1, 2), keepdims=True)
        attention = conv(attention, features // self.reduction, 1, "squeeze", dtype=self.dtype)
        attention = conv(nn.relu(attention), features, 1, "excite", dtype=self.dtype)
        return x + y * nn.sigmoid(attention)


class ResidualGroup(nn.Module):
    """`blocks` attention blocks and a convolution, plus the input: [N, H, W, C] -> the same."""

    blocks: int
    reduction: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = x
        for i in range(self.blocks):
            y = AttentionBlock(self.reduction, self.dtype, name=f"block{i}")(y)
        return x + conv(y, x.shape[-1], 3, "conv", dtype=self.dtype)


class RCAN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    Attributes:
      rgb_range: the range of the pixels inside.
      mean_shift: how DIV2K's mean colour is taken off and put back: "fixed"; "learned", by 1x1
        convolutions that start so (the authors' training code leaves them trainable); or "none".
    """

    scale: int
    groups: int = 10
    blocks: int = 20
    features: int = 64
    reduction: int = 16
    rgb_range: float = 255.0
    mean_shift: Literal["fixed", "learned", "none"] = "fixed"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        x = self._shift(self.rgb_range * lr, -1)
        x = head = conv(x, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.groups):
            group = ResidualGroup(self.blocks, self.reduction, self.dtype, name=f"group{i}")
            x = group(x)
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        x = upsampler(x, self.features, self.scale, dtype=self.dtype)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return self._shift(x.astype(jnp.float32), 1) / self.rgb_range

    def _shift(self, x: jax.Array, sign: int) -> jax.Array:
        if self.mean_shift == "learned":
            name = "add_mean" if sign > 0 else "sub_mean"
            return MeanShift(sign, self.rgb_range, frozen=False, name=name)(x)
        if self.mean_shift == "fixed":
            return x + jnp.asarray(sign * self.rgb_range * DIV2K_MEAN).reshape(1, 1, 1, 3)
        return x


MODELS = {
    "rcan": Card(
        build=RCAN,
        title="Image Super-Resolution Using Very Deep Residual Channel Attention Networks",
        year=2018,
        url="https://arxiv.org/abs/1807.02758",
        upsampling="end: sub-pixel",
        scales=(2, 3, 4, 8),
        recipe="DIV2K, L1, LR patches of 48, batches of 16, Adam 1e-4 halved every 200,000 of "
        "1,000,000 updates; x3, x4 and x8 start from the trained x2",
        published={
            2: {
                "Set5": (38.27, 0.9614),
                "Set14": (34.12, 0.9216),
                "BSD100": (32.41, 0.9027),
                "Urban100": (33.34, 0.9384),
                "Manga109": (39.44, 0.9786),
            },
            3: {
                "Set5": (34.74, 0.9299),
                "Set14": (30.65, 0.8482),
                "BSD100": (29.32, 0.8111),
                "Urban100": (29.09, 0.8702),
                "Manga109": (34.44, 0.9499),
            },
            4: {
                "Set5": (32.63, 0.9002),
                "Set14": (28.87, 0.7889),
                "BSD100": (27.77, 0.7436),
                "Urban100": (26.82, 0.8087),
                "Manga109": (31.22, 0.9173),
            },
            8: {
                "Set5": (27.31, 0.7878),
                "Set14": (25.23, 0.6511),
                "BSD100": (24.98, 0.6058),
                "Urban100": (23.00, 0.6452),
                "Manga109": (25.24, 0.8029),
            },
        },
    ),
}
