"""RDN: Zhang et al. 2018, "Residual Dense Network for Image Super-Resolution",
https://arxiv.org/abs/1802.08797.

Two shallow convolutions, D residual dense blocks, their outputs concatenated and fused (1x1, then
3x3), plus the first shallow features, EDSR's up-sampler, tail conv. A residual dense block: C
times conv 3 to G channels and ReLU, each on the concatenation of all before it, fused by a 1x1
conv to G0 channels, plus the block's input. PyTorch's default initialisation.

Inside, pixels are RGB in 0..255 minus DIV2K's mean colour, as in the authors' code; the PyTorch
ports have no mean shift, and pixels in 0..255 (EDSR-PyTorch) or 0..1 (yjn870, mmagic).
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import DIV2K_MEAN, conv, upsampler
from jaxsr.models.card import Card


class ResidualDenseBlock(nn.Module):
    """[N, H, W, G0] -> the same, by `layers` dense convolutions of `growth` channels."""

    layers: int
    growth: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        dense = x
        for i in range(self.layers):
            y = nn.relu(conv(dense, self.growth, 3, f"dense{i}", dtype=self.dtype))
            dense = jnp.concatenate([dense, y], axis=-1)
        return x + conv(dense, x.shape[-1], 1, "fusion", dtype=self.dtype)


class RDN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The paper's D, C, G and G0 are `blocks`, `layers`, `growth` and `features`; `up_features` is
    the width of the up-sampler, G0 in the paper and G in the ports. `rgb_range` is the range of
    the pixels inside.
    """

    scale: int
    blocks: int = 16
    layers: int = 8
    growth: int = 64
    features: int = 64
    up_features: int = 64
    mean_shift: bool = True
    rgb_range: float = 255.0
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        mean = jnp.asarray(self.mean_shift * self.rgb_range * DIV2K_MEAN).reshape(1, 1, 1, 3)
        shallow = conv(self.rgb_range * lr - mean, self.features, 3, "shallow1", dtype=self.dtype)
        x = conv(shallow, self.features, 3, "shallow2", dtype=self.dtype)
        outputs = []
        for i in range(self.blocks):
            block = ResidualDenseBlock(self.layers, self.growth, self.dtype, name=f"block{i}")
            x = block(x)
            outputs.append(x)
        x = jnp.concatenate(outputs, axis=-1)
        x = conv(x, self.features, 1, "fusion1", dtype=self.dtype)
        x = shallow + conv(x, self.features, 3, "fusion2", dtype=self.dtype)
        x = upsampler(x, self.up_features, self.scale, dtype=self.dtype)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return (x.astype(jnp.float32) + mean) / self.rgb_range


_card = functools.partial(
    Card,
    title="Residual Dense Network for Image Super-Resolution",
    year=2018,
    url="https://arxiv.org/abs/1802.08797",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4),
    recipe="DIV2K, L1, LR patches of 48 (x3 and x4: 32), batches of 16, Adam 1e-4 halved every "
    "200,000 updates; x3 and x4 start from the trained x2",
)
MODELS = {
    "rdn": _card(
        build=RDN,
        published={
            2: {
                "Set5": (38.24, 0.9614),
                "Set14": (34.01, 0.9212),
                "BSD100": (32.34, 0.9017),
                "Urban100": (32.89, 0.9353),
                "Manga109": (39.18, 0.9780),
            },
            3: {
                "Set5": (34.71, 0.9296),
                "Set14": (30.57, 0.8468),
                "BSD100": (29.26, 0.8093),
                "Urban100": (28.80, 0.8653),
                "Manga109": (34.13, 0.9484),
            },
            4: {
                "Set5": (32.47, 0.8990),
                "Set14": (28.81, 0.7871),
                "BSD100": (27.72, 0.7419),
                "Urban100": (26.61, 0.8028),
                "Manga109": (31.00, 0.9151),
            },
        },
    ),
    "rdn_a": _card(
        build=functools.partial(RDN, blocks=20, layers=6, growth=32),
        note="The paper's smaller variant: D = 20, C = 6, G = 32.",
    ),
}
