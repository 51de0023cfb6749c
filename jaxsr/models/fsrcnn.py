"""FSRCNN: Dong et al. 2016, "Accelerating the Super-Resolution Convolutional Neural Network",
https://arxiv.org/abs/1608.00367.

All in LR space: conv 5 1->d, shrinking conv 1 d->s, m mapping convs 3 s->s, expanding conv 1 s->d,
a PReLU after each; then a 9x9 deconvolution of stride `scale`. FSRCNN is (d, s, m) = (56, 12, 4),
FSRCNN-s (32, 5, 1). A luma network: chroma of RGB input is enlarged by bicubic. With 3 `channels`
it takes RGB.

By default as in the PyTorch re-implementations: zeros around the image, a slope per channel, the
deconvolution centred on HR pixel scale * i. The authors' weights have one slope per layer and
`padding` "edge": the border replicated (one pixel before the deconvolution), and the deconvolution
of x3 centred on 3 * i + 1.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import (
    Channels,
    Padding,
    PReLU,
    TransposedConv,
    colour_of,
    conv,
    he_normal_fan_out,
    on_luma,
)
from jaxsr.models.card import Card


class FSRCNN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    Attributes:
      features, shrunk, mappings: the paper's d, s, m.
      shared_slopes: one PReLU slope per layer instead of one per channel.
      padding: "edge" for borders and alignment of the authors' weights.
    """

    scale: int
    features: int = 56
    shrunk: int = 12
    mappings: int = 4
    shared_slopes: bool = False
    padding: Padding = "zero"
    channels: Channels = 1
    dtype: Any = None  # compute type; parameters stay float32

    @property
    def colour(self) -> str:
        return colour_of(self.channels)

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return self._network(lr) if self.channels == 3 else on_luma(self._network, lr, self.scale)

    def _network(self, x: jax.Array) -> jax.Array:
        x = self._layer(x, self.features, 5, "extract")
        x = self._layer(x, self.shrunk, 1, "shrink")
        for i in range(self.mappings):
            x = self._layer(x, self.shrunk, 3, f"map{i}")
        x = self._layer(x, self.features, 1, "expand")
        edge = self.padding == "edge"
        start = 3 if edge and self.scale == 3 else 4
        crop = (start, 9 - self.scale - start)
        if edge:
            x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
            crop = (crop[0] + self.scale, crop[1] + self.scale)
        x = TransposedConv(
            self.channels,
            9,
            self.scale,
            crop,
            kernel_init=nn.initializers.normal(0.001),
            dtype=self.dtype,
            name="deconvolve",
        )(x)
        return x.astype(jnp.float32)

    def _layer(self, x: jax.Array, features: int, size: int, name: str) -> jax.Array:
        x = conv(
            x,
            features,
            size,
            name,
            padding=self.padding,
            kernel_init=he_normal_fan_out,
            dtype=self.dtype,
        )
        return PReLU(self.shared_slopes, name=f"{name}_prelu")(x)


_card = functools.partial(
    Card,
    title="Accelerating the Super-Resolution Convolutional Neural Network",
    year=2016,
    url="https://arxiv.org/abs/1608.00367",
    upsampling="end: transposed conv",
    scales=(2, 3, 4),
    recipe="T91, then also General-100, rotated and shrunk, squared error, LR patches of 10, 7, 6 "
    "for x2, x3, x4, SGD with momentum 0.9 at 1e-3, the deconvolution at 1e-4",
)
_NOTE = (
    "Mult-Adds of the deconvolution at LR pixels, where it multiplies; the CARN paper counts them "
    "at HR pixels (6.0, 5.0, 4.6 G)"
)
MODELS = {
    "fsrcnn": _card(
        build=FSRCNN,
        published={
            2: {
                "Set5": (37.05, 0.9560),
                "Set14": (32.66, 0.9090),
                "BSD100": (31.53, 0.8920),
                "Urban100": (29.88, 0.9020),
                "Manga109": (36.67, 0.9710),
            },
            3: {
                "Set5": (33.18, 0.9140),
                "Set14": (29.37, 0.8240),
                "BSD100": (28.53, 0.7910),
                "Urban100": (26.43, 0.8080),
                "Manga109": (31.10, 0.9210),
            },
            4: {
                "Set5": (30.72, 0.8660),
                "Set14": (27.61, 0.7550),
                "BSD100": (26.98, 0.7150),
                "Urban100": (24.62, 0.7280),
                "Manga109": (27.90, 0.8610),
            },
        },
        note=_NOTE,
    ),
    "fsrcnn_s": _card(
        build=functools.partial(FSRCNN, features=32, shrunk=5, mappings=1),
        published={2: {"Set5": (36.58, None)}},
        note="Mult-Adds of the deconvolution at LR pixels, where it multiplies",
    ),
}
