"""DBPN: Haris et al. 2018, "Deep Back-Projection Networks for Super-Resolution",
https://arxiv.org/abs/1803.02735: the dense D-DBPN.

Up and down projections in turn: each enlarges (or shrinks) its input, brings the result back, and
corrects it by what was lost on the way. All earlier high-resolution (or low-resolution) maps are
the input of the next one, newest first, and the last conv sees all high-resolution maps. Pixels
are RGB in [0, 1] inside, without a mean shift or a skip around the network. He initialisation,
biases zero.

The authors' training script adds the bicubic enlargement of LR to the output by default, their
test script and the released D-DBPN do not: that is the field `residual`. Theirs comes from Pillow
and has 8 bits; here it is MATLAB's, unrounded.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import DIV2K_MEAN, Conv, PReLU, TransposedConv, conv, he_normal
from jaxsr.models.card import Card

KERNELS = {2: 6, 4: 8, 8: 12}  # scale -> size of the projections' kernels; their padding is 2


class Projection(nn.Module):
    """An up projection, [N, H, W, C] -> [N, scale * H, scale * W, features], or down, back.

    `bottleneck` puts a 1x1 convolution in front, for inputs of several maps.
    """

    scale: int
    up: bool
    features: int
    bottleneck: bool
    shared_slopes: bool
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if self.bottleneck:
            x = conv(x, self.features, 1, "bottleneck", kernel_init=he_normal, dtype=self.dtype)
            x = self._prelu("bottleneck", x)
        first = self._project(x, self.up, "conv1")
        back = self._project(first, not self.up, "conv2")
        return first + self._project(back - x, self.up, "conv3")

    def _project(self, x: jax.Array, up: bool, name: str) -> jax.Array:
        fields = {"kernel_init": he_normal, "dtype": self.dtype, "name": name}
        size, stride = KERNELS[self.scale], self.scale
        if up:
            layer = TransposedConv(self.features, size, stride, crop=(2, 2), **fields)
        else:
            layer = Conv(self.features, size, stride, padding=2, **fields)
        return self._prelu(name, layer(x))

    def _prelu(self, name: str, x: jax.Array) -> jax.Array:
        return PReLU(self.shared_slopes, name=f"{name}_prelu")(x)


class DBPN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    DBPNLL has 10 stages, the small DBPN-S 2 of 32 channels (128 in the head). The variant "ddbpn"
    is EDSR-PyTorch's network of that name (there 6 stages of 32 channels, 128 in the head): the
    oldest maps come first, every channel has its own slope, and inside pixels are 0..255 minus
    DIV2K's mean colour.
    """

    scale: int
    stages: int = 7
    features: int = 64
    head_features: int = 256
    residual: bool = False
    variant: Literal["paper", "ddbpn"] = "paper"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        paper = self.variant == "paper"
        peak, mean = (1.0, 0.0) if paper else (255.0, 255.0 * DIV2K_MEAN.reshape(1, 1, 1, 3))
        fields = {"kernel_init": he_normal, "dtype": self.dtype}
        x = conv(peak * lr - mean, self.head_features, 3, "head1", **fields)
        x = conv(PReLU(paper, name="head1_prelu")(x), self.features, 1, "head2", **fields)
        low, high = [PReLU(paper, name="head2_prelu")(x)], []  # newest first
        for i in range(1, self.stages + 1):
            high.insert(0, self._projection(f"up{i}", True, low))
            if i == 1:
                low = []  # the later ones do not see the head's map
            if i < self.stages:
                # The second up projection sees one map, the second down projection two.
                low.insert(0, self._projection(f"down{i}", False, high))
        x = conv(self._together(high), 3, 3, "tail", **fields)
        sr = (x.astype(jnp.float32) + mean) / peak
        return sr + imresize(lr, self.scale) if self.residual else sr

    def _projection(self, name: str, up: bool, maps: list[jax.Array]) -> jax.Array:
        unit = Projection(
            self.scale,
            up,
            self.features,
            len(maps) > 1,
            self.variant == "paper",
            self.dtype,
            name=name,
        )
        return unit(self._together(maps))

    def _together(self, maps: list[jax.Array]) -> jax.Array:
        return jnp.concatenate(maps if self.variant == "paper" else maps[::-1], axis=-1)


MODELS = {
    "dbpn": Card(
        build=DBPN,
        title="Deep Back-Projection Networks for Super-Resolution",
        year=2018,
        url="https://arxiv.org/abs/1803.02735",
        upsampling="back-projection",
        scales=(2, 4, 8),
        recipe="DIV2K, Flickr2K and ImageNet, L1, LR patches of 32, batches of 20, Adam 1e-4 "
        "divided by 10 after 500,000 of 1,000,000 updates",
        published={
            2: {
                "Set5": (38.09, 0.9600),
                "Set14": (33.85, 0.9190),
                "BSD100": (32.27, 0.9000),
                "Urban100": (32.55, 0.9324),
                "Manga109": (38.89, 0.9775),
            },
            4: {
                "Set5": (32.47, 0.8980),
                "Set14": (28.82, 0.7860),
                "BSD100": (27.72, 0.7400),
                "Urban100": (26.38, 0.7946),
                "Manga109": (30.91, 0.9137),
            },
            8: {
                "Set5": (27.21, 0.7840),
                "Set14": (25.13, 0.6480),
                "BSD100": (24.88, 0.6010),
                "Urban100": (22.73, 0.6312),
                "Manga109": (25.14, 0.7987),
            },
        },
        note="transposed convolutions are counted at their input's resolution",
    ),
}
