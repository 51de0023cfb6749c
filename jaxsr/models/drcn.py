"""DRCN: Kim et al. 2016, "Deeply-Recursive Convolutional Network for Image Super-Resolution",
https://arxiv.org/abs/1511.04491.

On luma enlarged by bicubic: two convolutions embed it, one convolution with ReLU is applied
`recursions` times, and each of its states H_d is reconstructed by the same two convolutions and
added to the enlarged luma, which gives y_d. The result is the sum of the y_d times learned weights.
All convolutions are 3x3. A luma network: chroma of RGB input is enlarged by bicubic.

The y_d are supervised, too, and sown in the collection "supervised". States are kept for the
backward pass, what lies between them is computed again: memory grows by one feature map a state.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import Conv, conv, he_normal, on_enlarged_luma, supervise
from jaxsr.models.card import Card


def _identity(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """A kernel that passes every channel on: another start explodes or dies in 16 recursions."""
    del key
    centre = (shape[0] // 2, shape[1] // 2)
    return jnp.zeros(shape, dtype).at[centre].set(jnp.eye(shape[2], shape[3], dtype=dtype))


class Recursion(nn.Module):
    """H_{d-1} -> H_d, [N, H, W, features] both."""

    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.relu(conv(x, self.features, 3, "conv", kernel_init=_identity, dtype=self.dtype))


class Reconstruction(nn.Module):
    """H_d -> what y_d adds to the enlarged luma, [N, H, W, 1] float32."""

    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(conv(x, self.features, 3, "conv1", kernel_init=he_normal, dtype=self.dtype))
        return conv(x, 1, 3, "conv2", kernel_init=he_normal, dtype=self.dtype).astype(jnp.float32)


class DRCN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    Collection "supervised" holds `sr`, the tuple of the enlargements y_d of luma. The number of
    parameters depends on `recursions` by their weights in the sum alone.
    """

    scale: int
    features: int = 256
    recursions: int = 16
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    def setup(self) -> None:
        layer = functools.partial(Conv, self.features, 3, kernel_init=he_normal, dtype=self.dtype)
        self.embed0, self.embed1 = layer(), layer()
        self.recursion = Recursion(self.features, self.dtype)
        self.reconstruction = Reconstruction(self.features, self.dtype)
        start = nn.initializers.constant(1 / self.recursions)
        self.weights = self.param("weights", start, (self.recursions,), jnp.float32)

    def __call__(self, lr: jax.Array) -> jax.Array:
        return on_enlarged_luma(self._luma, lr, self.scale)

    def _luma(self, x: jax.Array) -> jax.Array:
        state = nn.relu(self.embed1(nn.relu(self.embed0(x))))
        sr = jnp.zeros_like(x)
        # Together: recomputed apart, the reconstructions would all be held at once. A lambda,
        # because what `remat` wraps takes the module first.
        recurse = nn.remat(lambda net, state: net._recurse(state))
        for d in range(self.recursions):
            state, residual = recurse(self, state)
            estimate = x + residual
            supervise(self, estimate)
            sr = sr + self.weights[d] * estimate
        return sr

    def _recurse(self, state: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The next state, and what its image adds to the enlarged luma."""
        state = self.recursion(state)
        return state, self.reconstruction(state)


MODELS = {
    "drcn": Card(
        build=DRCN,
        title="Deeply-Recursive Convolutional Network for Image Super-Resolution",
        year=2016,
        url="https://arxiv.org/abs/1511.04491",
        upsampling="before: bicubic",
        scales=(2, 3, 4),
        recipe="T91, squared error of result and of every recursion, the latter's part annealed "
        "to nothing, HR patches of 41, batches of 64, SGD with momentum 0.9 at 0.01, a tenth when "
        "flat, weight decay 1e-4",
        published={
            2: {
                "Set5": (37.63, 0.9588),
                "Set14": (33.04, 0.9118),
                "BSD100": (31.85, 0.8942),
                "Urban100": (30.75, 0.9133),
                "Manga109": (37.55, 0.9732),
            },
            3: {
                "Set5": (33.82, 0.9226),
                "Set14": (29.76, 0.8311),
                "BSD100": (28.80, 0.7963),
                "Urban100": (27.15, 0.8276),
            },
            4: {
                "Set5": (31.53, 0.8854),
                "Set14": (28.02, 0.7670),
                "BSD100": (27.23, 0.7233),
                "Urban100": (25.14, 0.7510),
            },
        },
        note="1,774,080 of the parameters are kernels, which the literature counts alone",
    )
}
