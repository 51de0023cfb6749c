"""EnhanceNet: Sajjadi et al. 2017, "EnhanceNet: Single Image Super-Resolution Through Automated
Texture Synthesis", https://arxiv.org/abs/1612.07919.

Minus the mean colour; head conv, ReLU, residual blocks without batch norm (conv, ReLU, conv), no
long skip; twice nearest enlargement, conv and ReLU; conv, ReLU, tail conv; plus the bicubic
enlargement of the input. x4 only. The kernels start as the authors' library does (Xavier uniform,
zero biases), of which the paper says nothing.

The authors' graph enlarges by TensorFlow 1's bicubic, half an LR pixel off; their weights need it
(`skip="tf1"`), a network trained anew does not.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from jaxsr.image.resize import imresize
from jaxsr.models.blocks import ResidualBlock, conv, factors, nearest
from jaxsr.models.card import Card

MEAN = np.array([0.47614917, 0.45001204, 0.40904046], np.float32)  # RGB, of the training set
_XAVIER = nn.initializers.xavier_uniform()

Skip = Literal["bicubic", "tf1"]


def tf1_weights(scale: int) -> np.ndarray:
    """The [scale, 4] weights of the pixels -1, 0, 1, 2 for each phase of `tf1_bicubic`."""
    t = np.arange(scale) / scale
    distance = np.abs(t[:, None] - np.arange(-1, 3))
    near = (1.25 * distance - 2.25) * distance**2 + 1
    far = ((-0.75 * distance + 3.75) * distance - 6.0) * distance + 3.0
    return np.where(distance <= 1, near, far).astype(np.float32)


def tf1_bicubic(x: jax.Array, scale: int) -> jax.Array:
    """TensorFlow 1's `resize_images(BICUBIC)`: [N, H, W, C] -> [N, scale * H, scale * W, C].

    Keys' kernel with a = -0.75; output pixel i lies at i / scale, not at pixel centres; edges
    are replicated.
    """
    weights = tf1_weights(scale).tolist()
    for axis in (1, 2):
        n = x.shape[axis]
        padded = jnp.pad(x, [(1, 2) if i == axis else (0, 0) for i in range(4)], mode="edge")
        taps = [lax.slice_in_dim(padded, k, k + n, axis=axis) for k in range(4)]
        phases = [sum(w * tap for w, tap in zip(row, taps, strict=True)) for row in weights]
        shape = (*x.shape[:axis], n * scale, *x.shape[axis + 1 :])
        x = jnp.stack(phases, axis=axis + 1).reshape(shape)
    return x


class EnhanceNet(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3]."""

    scale: int
    blocks: int = 10
    features: int = 64
    skip: Skip = "bicubic"
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        def layer(x: jax.Array, features: int, name: str) -> jax.Array:
            return conv(x, features, 3, name, kernel_init=_XAVIER, dtype=self.dtype)

        x = nn.relu(layer(lr - MEAN.reshape(1, 1, 1, 3), self.features, "head"))
        for i in range(self.blocks):
            x = ResidualBlock(kernel_init=_XAVIER, dtype=self.dtype, name=f"block{i}")(x)
        for i, factor in enumerate(factors(self.scale)):
            x = nn.relu(layer(nearest(x, factor), self.features, f"upsample{i}"))
        x = layer(nn.relu(layer(x, self.features, "hr")), 3, "tail")
        base = tf1_bicubic(lr, self.scale) if self.skip == "tf1" else imresize(lr, self.scale)
        return x.astype(jnp.float32) + base


MODELS = {
    "enhancenet": Card(
        build=EnhanceNet,
        title="EnhanceNet: Single Image Super-Resolution Through Automated Texture Synthesis",
        year=2017,
        url="https://arxiv.org/abs/1612.07919",
        upsampling="end: nearest + conv",
        scales=(4,),
        recipe="200,000 images of MS-COCO, HR patches of 128, Adam 1e-4; variant E: MSE; PAT: "
        "0.2 and 0.02 of VGG19 pool2 and pool5 features, 3e-7, 1e-6 and 1e-6 of Gram matrices of "
        "relu1_1, relu2_1 and relu3_1 on patches of 16, and 2 of a GAN",
        published={
            4: {
                "Set5": (31.74, None),
                "Set14": (28.42, None),
                "BSD100": (27.50, None),
                "Urban100": (25.66, None),
            }
        },
        note="scores of variant E (MSE), quoted by others; the authors' PAT gives 28.56 dB on Set5 "
        "whose LR is by Pillow's Lanczos kernel",
    )
}
