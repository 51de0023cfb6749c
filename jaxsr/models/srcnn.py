"""SRCNN: Dong et al. 2014, "Image Super-Resolution Using Deep Convolutional Networks",
https://arxiv.org/abs/1501.00092.

Three convolutions on luma enlarged by bicubic: conv 9 1->64, ReLU, conv `kernel2` 64->32, ReLU,
conv 5 32->1; no skip. "9-5-5" is the journal's best and what the literature compares with, "9-1-5"
the first version. A luma network: chroma of RGB input is enlarged by bicubic. With 3 `channels` it
takes RGB, as mmagic's, which also has PyTorch's bicubic in front.

The authors train without padding, on the centre of the patch, and test with the border replicated:
`padding` "edge". By default zeros surround the image, as in most re-implementations.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import Channels, Padding, colour_of, conv, on_luma, pytorch_bicubic
from jaxsr.models.card import Card


class SRCNN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `kernel2` is the size of the second convolution: 5, 3 or 1 in the paper. `padding` "edge"
    replicates the border before every convolution. `pytorch_bicubic`: the enlargement in front is
    PyTorch's, not MATLAB's.
    """

    scale: int
    kernel2: int = 5
    padding: Padding = "zero"
    channels: Channels = 1
    pytorch_bicubic: bool = False
    dtype: Any = None  # compute type; parameters stay float32

    @property
    def colour(self) -> str:
        return colour_of(self.channels)

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        return self._on_lr(lr) if self.channels == 3 else on_luma(self._on_lr, lr, self.scale)

    def _on_lr(self, x: jax.Array) -> jax.Array:
        x = (pytorch_bicubic if self.pytorch_bicubic else imresize)(x, self.scale)
        layer = functools.partial(
            conv, padding=self.padding, kernel_init=nn.initializers.normal(0.001), dtype=self.dtype
        )
        x = nn.relu(layer(x, 64, 9, "conv1"))
        x = nn.relu(layer(x, 32, self.kernel2, "conv2"))
        return layer(x, self.channels, 5, "conv3").astype(jnp.float32)


_card = functools.partial(
    Card,
    title="Image Super-Resolution Using Deep Convolutional Networks",
    year=2014,
    url="https://arxiv.org/abs/1501.00092",
    upsampling="before: bicubic",
    scales=(2, 3, 4),
    recipe="T91 or ImageNet, squared error, HR patches of 33, batches of 128, SGD with momentum "
    "0.9 at 1e-4, the last layer and the biases at 1e-5; one network per scale",
)
MODELS = {
    "srcnn": _card(
        build=SRCNN,
        published={
            2: {
                "Set5": (36.66, 0.9542),
                "Set14": (32.45, 0.9067),
                "BSD100": (31.36, 0.8879),
                "Urban100": (29.50, 0.8946),
                "Manga109": (35.60, 0.9663),
            },
            3: {
                "Set5": (32.75, 0.9090),
                "Set14": (29.30, 0.8215),
                "BSD100": (28.41, 0.7863),
                "Urban100": (26.24, 0.7989),
                "Manga109": (30.48, 0.9117),
            },
            4: {
                "Set5": (30.48, 0.8628),
                "Set14": (27.50, 0.7513),
                "BSD100": (26.90, 0.7101),
                "Urban100": (24.52, 0.7221),
                "Manga109": (27.58, 0.8555),
            },
        },
        note="scores of the network trained on ImageNet",
    ),
    "srcnn_915": _card(
        build=functools.partial(SRCNN, kernel2=1),
        published={3: {"Set5": (32.39, None)}},
        note="score of the network trained on T91",
    ),
}
