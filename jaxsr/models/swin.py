"""Residual Swin Transformer blocks: attention within windows that every second layer shifts.

Liu et al. 2021, "Swin Transformer", https://arxiv.org/abs/2103.14030, as used by Liang et al.
2021, "SwinIR", https://arxiv.org/abs/2108.10257. Feature maps stay [N, H, W, C] throughout; each
pixel is a token; H and W are multiples of the window.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxsr.models.blocks import conv

# The authors cut it at +-2, a hundred deviations away.
_normal = nn.initializers.normal(0.02)
_MASKED = -100.0


def layer_norm(x: jax.Array, name: str, dtype: Any) -> jax.Array:
    """Layer normalisation over channels with PyTorch's epsilon.

    Flax's default variance, E[x^2] - E[x]^2, loses what lies far from 0.
    """
    return nn.LayerNorm(epsilon=1e-5, use_fast_variance=False, dtype=dtype, name=name)(x)


def dense(x: jax.Array, features: int, name: str, dtype: Any) -> jax.Array:
    """A linear layer, started as transformers are: N(0, 0.02), biases 0."""
    return nn.Dense(features, kernel_init=_normal, dtype=dtype, name=name)(x)


def trunk_conv(x: jax.Array, convs: int, name: str, dtype: Any) -> jax.Array:
    """One 3x3 convolution; or three, 3x3, 1x1 and 3x3, over a quarter of the features."""
    features = x.shape[-1]
    if convs == 1:
        return conv(x, features, 3, name, dtype=dtype)
    for i, size in enumerate((3, 1)):
        x = nn.leaky_relu(conv(x, features // 4, size, f"{name}_conv{i}", dtype=dtype), 0.2)
    return conv(x, features, 3, f"{name}_conv2", dtype=dtype)


def to_windows(x: jax.Array, window: int) -> jax.Array:
    """[N, H, W, C] -> [N * H/window * W/window, window^2, C], both in row-major order."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // window, window, w // window, window, c)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, window**2, c)


def from_windows(x: jax.Array, window: int, size: tuple[int, int]) -> jax.Array:
    """The inverse of `to_windows`, for images of `size` (H, W)."""
    h, w = size
    x = x.reshape(-1, h // window, w // window, window, window, x.shape[-1])
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, h, w, x.shape[-1])


def position_index(window: int) -> np.ndarray:
    """Which of the (2 window - 1)^2 position biases joins query i and key j: [window^2] * 2.

    Row-major over the offsets (dy, dx) of the query from the key, each from -(window - 1).
    """
    y, x = np.divmod(np.arange(window**2), window)
    dy, dx = (a[:, None] - a[None] + window - 1 for a in (y, x))
    return dy * (2 * window - 1) + dx


def shift_mask(size: tuple[int, int], window: int, shift: int) -> jax.Array:
    """0, or -100 between pixels that only the cyclic shift made neighbours.

    Those are the pixels of the last row (column) of windows on either side of its cut, `shift`
    from its end: [H/window, W/window, window^2, window^2]. Made from two vectors and two squares,
    which the compiler joins to what uses it: written out it would be as large as the attention.
    """
    rows, columns = (n // window for n in size)
    y, x = np.divmod(np.arange(window**2), window)
    cut_y, cut_x = ((a[:, None] < window - shift) != (a[None] < window - shift) for a in (y, x))
    bottom = jnp.arange(rows).reshape(-1, 1, 1, 1) == rows - 1
    right = jnp.arange(columns).reshape(1, -1, 1, 1) == columns - 1
    apart = (bottom & cut_y[None, None]) | (right & cut_x[None, None])
    return jnp.where(apart, _MASKED, 0.0)


class Attention(nn.Module):
    """Multi-head attention of each pixel to those of its window, [N, H, W, C] -> the same.

    Logits are query . key / sqrt(head size) + a bias by relative position; the softmax is in
    float32. With `shift`, windows begin `shift` pixels further down and right, around the borders.
    """

    heads: int
    window: int
    shift: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        n, h, w, features = x.shape
        head, tokens = features // self.heads, self.window**2
        if self.shift:
            x = jnp.roll(x, (-self.shift, -self.shift), (1, 2))
        x = to_windows(x, self.window)
        qkv = dense(x, 3 * features, "qkv", self.dtype)
        # [3, windows, heads, tokens, head]
        q, k, v = qkv.reshape(-1, tokens, 3, self.heads, head).transpose(2, 0, 3, 1, 4)
        logits = jnp.einsum("bhqd,bhkd->bhqk", q * head**-0.5, k).astype(jnp.float32)

        table_shape = ((2 * self.window - 1) ** 2, self.heads)
        table = self.param("position_bias", _normal, table_shape, jnp.float32)
        bias = table[position_index(self.window)].transpose(2, 0, 1)
        logits = logits + bias[None]
        if self.shift:
            mask = shift_mask((h, w), self.window, self.shift)
            grid = (n, *mask.shape[:2], self.heads, tokens, tokens)
            logits = (logits.reshape(grid) + mask[None, :, :, None]).reshape(logits.shape)

        weights = nn.softmax(logits).astype(v.dtype)
        x = jnp.einsum("bhqk,bhkd->bqhd", weights, v).reshape(-1, tokens, features)
        x = dense(x, features, "proj", self.dtype)
        x = from_windows(x, self.window, (h, w))
        return jnp.roll(x, (self.shift, self.shift), (1, 2)) if self.shift else x


class SwinLayer(nn.Module):
    """x + attention(norm(x)), then x + perceptron(norm(x)), [N, H, W, C] -> the same.

    `drop` is the chance that an image skips a branch (stochastic depth, Huang et al. 2016,
    https://arxiv.org/abs/1603.09382).
    """

    heads: int
    window: int
    hidden: int
    shift: int
    drop: float = 0.0
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = layer_norm(x, "norm1", self.dtype)
        y = Attention(self.heads, self.window, self.shift, self.dtype, name="attention")(y)
        x = x + self._maybe(y)
        y = layer_norm(x, "norm2", self.dtype)
        y = nn.gelu(dense(y, self.hidden, "fc1", self.dtype), approximate=False)
        return x + self._maybe(dense(y, x.shape[-1], "fc2", self.dtype))

    def _maybe(self, branch: jax.Array) -> jax.Array:
        """The branch, dropped for some images; the others' is raised to keep the mean."""
        if not self.drop:
            return branch
        return nn.Dropout(self.drop, broadcast_dims=(1, 2, 3))(branch, deterministic=False)


class ResidualSwinBlock(nn.Module):
    """Swin layers, every second one shifted by half a window, a convolution, a skip around all.

    Attributes:
      drops: the rate of stochastic depth of each layer; their number is the layers'.
    """

    heads: int
    window: int
    hidden: int
    drops: tuple[float, ...]
    shifted: bool = True
    convs: int = 1
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = x
        for i, drop in enumerate(self.drops):
            y = SwinLayer(
                self.heads,
                self.window,
                self.hidden,
                self.window // 2 if self.shifted and i % 2 else 0,
                drop,
                self.dtype,
                name=f"layer{i}",
            )(y)
        return x + trunk_conv(y, self.convs, "conv", self.dtype)
