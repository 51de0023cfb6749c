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
import numpy as np
from flax import linen as nn

from jaxsr.models.blocks import conv, pixel_shuffle
from jaxsr.models.card import Card

DIV2K_MEAN = np.array([0.4488, 0.4371, 0.4040], np.float32)  # RGB, of [0, 1]


class EDSR(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    The paper's EDSR has 32 blocks of 256 channels and `res_scale` 0.1; the baseline 16 blocks of
    64 channels and no residual scaling.
    """

    scale: int
    blocks: int = 32
    features: int = 256
    res_scale: float = 0.1
    icnr: bool = False  # start the sub-pixel layers as nearest-neighbour enlargement
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        mean = jnp.asarray(255.0 * DIV2K_MEAN).reshape(1, 1, 1, 3)
        x = head = conv(255.0 * lr - mean, self.features, 3, "head", dtype=self.dtype)
        for i in range(self.blocks):
            y = nn.relu(conv(x, self.features, 3, f"block{i}_conv1", dtype=self.dtype))
            y = conv(y, self.features, 3, f"block{i}_conv2", dtype=self.dtype)
            x = x + self.res_scale * y
        x = head + conv(x, self.features, 3, "trunk", dtype=self.dtype)
        x = self._upsample(x)
        x = conv(x, 3, 3, "tail", dtype=self.dtype)
        return (x.astype(jnp.float32) + mean) / 255.0

    def _upsample(self, x: jax.Array) -> jax.Array:
        factors = (3,) if self.scale == 3 else (2,) * (self.scale.bit_length() - 1)
        for i, factor in enumerate(factors):
            features = self.features * factor**2
            shuffle = factor if self.icnr else 1
            x = conv(x, features, 3, f"upsample{i}", dtype=self.dtype, shuffle=shuffle)
            x = pixel_shuffle(x, factor)
        return x


_card = functools.partial(
    Card,
    title="Enhanced Deep Residual Networks for Single Image Super-Resolution",
    year=2017,
    url="https://arxiv.org/abs/1707.02921",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4),
)
MODELS = {
    "edsr_baseline": _card(build=functools.partial(EDSR, blocks=16, features=64, res_scale=1.0)),
    "edsr": _card(build=EDSR),
}
