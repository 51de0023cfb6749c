"""EDSR: Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image Super-Resolution",
https://arxiv.org/abs/1707.02921.

Head conv, residual blocks without batch norm (conv, ReLU, conv, times `res_scale`), trunk conv,
long skip, EDSR's up-sampler (a sub-pixel layer of 2 per factor of two, one of 3 for x3), tail
conv. Inside, pixels are RGB in 0..255 minus DIV2K's mean colour. PyTorch's default
initialisation, as in the authors' code.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import DIV2K_MEAN, conv, upsampler
from jaxsr.models.card import Card


class EDSR(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The paper's EDSR has 32 blocks of 256 channels and `res_scale` 0.1; the baseline 16 blocks of
    64 channels and no residual scaling. `rgb_range` is the range of the pixels inside.
    """

    scale: int
    blocks: int = 32
    features: int = 256
    res_scale: float = 0.1
    rgb_range: float = 255.0
    icnr: bool = False  # start the sub-pixel layers as nearest-neighbour enlargement
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        mean = jnp.asarray(self.rgb_range * DIV2K_MEAN).reshape(1, 1, 1, 3)
        x = head = conv(self.rgb_range * lr - mean, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.blocks):
            y = nn.relu(conv(x, self.features, 3, f"block{i}_conv1", dtype=self.dtype))
            y = conv(y, self.features, 3, f"block{i}_conv2", dtype=self.dtype)
            x = x + self.res_scale * y
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        x = upsampler(x, self.features, self.scale, icnr=self.icnr, dtype=self.dtype)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return (x.astype(jnp.float32) + mean) / self.rgb_range


_card = functools.partial(
    Card,
    title="Enhanced Deep Residual Networks for Single Image Super-Resolution",
    year=2017,
    url="https://arxiv.org/abs/1707.02921",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4, 8),
    recipe="DIV2K, L1, LR patches of 48, batches of 16, Adam 1e-4 halved every 200,000 of 300,000 "
    "updates; the other scales start from the trained x2",
)
MODELS = {
    "edsr_baseline": _card(
        build=functools.partial(EDSR, blocks=16, features=64, res_scale=1.0),
        published={
            2: {
                "Set5": (37.99, 0.9604),
                "Set14": (33.57, 0.9175),
                "BSD100": (32.16, 0.8994),
                "Urban100": (31.98, 0.9272),
                "Manga109": (38.54, 0.9769),
            },
            4: {
                "Set5": (32.09, 0.8938),
                "Set14": (28.58, 0.7813),
                "BSD100": (27.57, 0.7357),
                "Urban100": (26.04, 0.7849),
            },
        },
    ),
    "edsr": _card(
        build=EDSR,
        published={
            2: {
                "Set5": (38.11, 0.9602),
                "Set14": (33.92, 0.9195),
                "BSD100": (32.32, 0.9013),
                "Urban100": (32.93, 0.9351),
                "Manga109": (39.10, 0.9773),
            },
            3: {
                "Set5": (34.65, 0.9280),
                "Set14": (30.52, 0.8462),
                "BSD100": (29.25, 0.8093),
                "Urban100": (28.80, 0.8653),
                "Manga109": (34.17, 0.9476),
            },
            4: {
                "Set5": (32.46, 0.8968),
                "Set14": (28.80, 0.7876),
                "BSD100": (27.71, 0.7420),
                "Urban100": (26.64, 0.8033),
                "Manga109": (31.02, 0.9148),
            },
            8: {
                "Set5": (26.96, 0.7762),
                "Set14": (24.91, 0.6420),
                "BSD100": (24.81, 0.5985),
                "Urban100": (22.51, 0.6221),
                "Manga109": (24.69, 0.7841),
            },
        },
        note="x8 is not in the paper but in RCAN's",
    ),
}
