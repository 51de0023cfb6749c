"""MemNet: Tai et al. 2017, "MemNet: A Persistent Memory Network for Image Restoration",
https://arxiv.org/abs/1708.02209.

On luma enlarged by bicubic; every convolution comes after batch norm and ReLU. f_0 = conv(x);
memory block m repeats h_r = h_{r-1} + conv_b(conv_a(h_{r-1})) with the same two convolutions, and
its gate, a 1x1 convolution, makes f_m of all that is remembered: f_0 .. f_{m-1} and h_1 .. h_R.
One reconstruction convolution gives every block's own image y_m = x + conv(f_m); their weighted
sum is the output. All batch norms are their own. MSRA initialisation.

The released network starts the weights of the sum at 1, so that its first output is M times the
image; here they start at 1/M.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import Conv, batch_norm, conv, he_normal, on_enlarged_luma, supervise
from jaxsr.models.card import Card


class MemoryBlock(nn.Module):
    """[f_0, ..., f_{m-1}], each [N, H, W, features] -> f_m."""

    recursions: int
    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, memory: tuple[jax.Array, ...], train: bool) -> jax.Array:
        fields = {"kernel_init": he_normal, "dtype": self.dtype}
        conv_a = Conv(self.features, 3, name="conv_a", **fields)
        conv_b = Conv(self.features, 3, name="conv_b", **fields)
        h = memory[-1]
        short = []
        for r in range(self.recursions):
            y = conv_a(self._activate(h, f"norm_a{r}", train))
            h = h + conv_b(self._activate(y, f"norm_b{r}", train))
            short.append(h)
        x = jnp.concatenate([*memory, *short], axis=-1)
        return conv(self._activate(x, "norm_gate", train), self.features, 1, "gate", **fields)

    def _activate(self, x: jax.Array, name: str, train: bool) -> jax.Array:
        return nn.relu(batch_norm(x, name, train, dtype=self.dtype))


# In training the activations inside a block are computed again rather than kept.
_Recomputed = nn.remat(MemoryBlock, static_argnums=(2,))


class MemNet(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    M6R6 are 6 memory blocks of 6 recursions. The blocks' images y_m are sown as "supervised".
    `train` makes batch norm use the batch's statistics.
    """

    scale: int
    blocks: int = 6
    recursions: int = 6
    features: int = 64
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        return on_enlarged_luma(lambda y: self._luma(y, train), lr, self.scale)

    def _luma(self, x: jax.Array, train: bool) -> jax.Array:
        fields = {"kernel_init": he_normal, "dtype": self.dtype}
        y = nn.relu(batch_norm(x, "norm_head", train, dtype=self.dtype))
        memory = (conv(y, self.features, 3, "head", **fields),)
        tail = Conv(1, 3, name="tail", **fields)
        weights = self.param(
            "weights", nn.initializers.constant(1 / self.blocks), (self.blocks,), jnp.float32
        )
        sr = jnp.zeros_like(x)
        for m in range(self.blocks):
            kind = _Recomputed if train else MemoryBlock
            block = kind(self.recursions, self.features, self.dtype, name=f"block{m}")
            memory = (*memory, block(memory, train))
            y = nn.relu(batch_norm(memory[-1], f"norm_tail{m}", train, dtype=self.dtype))
            y = x + tail(y).astype(jnp.float32)
            supervise(self, y)
            sr = sr + weights[m] * y
        return sr


MODELS = {
    "memnet": Card(
        build=MemNet,
        title="MemNet: A Persistent Memory Network for Image Restoration",
        year=2017,
        url="https://arxiv.org/abs/1708.02209",
        upsampling="before: bicubic",
        scales=(2, 3, 4),
        recipe="291 images, Euclidean loss on the output and on each block's image, 31x31 patches "
        "of x2, x3 and x4 mixed, batches of 32, SGD 0.1, times 0.1 every 200,000 updates, "
        "clipped to a norm of 0.01/learning rate",
        note="The literature counts 677K parameters: without batch norm and biases; and 2,662.4 G "
        "Mult-Adds: with one of the six images of which the output is the sum. The published "
        "scores are of luma rounded to 8 bits, enlarged in tiles of 150 pixels.",
        published={
            2: {
                "Set5": (37.78, 0.9597),
                "Set14": (33.28, 0.9142),
                "BSD100": (32.08, 0.8978),
                "Urban100": (31.31, 0.9195),
                "Manga109": (37.72, 0.9740),
            },
            3: {
                "Set5": (34.09, 0.9248),
                "Set14": (30.00, 0.8350),
                "BSD100": (28.96, 0.8001),
                "Urban100": (27.56, 0.8376),
                "Manga109": (32.51, 0.9369),
            },
            4: {
                "Set5": (31.74, 0.8893),
                "Set14": (28.26, 0.7723),
                "BSD100": (27.40, 0.7281),
                "Urban100": (25.50, 0.7630),
                "Manga109": (29.42, 0.8942),
            },
        },
    )
}
