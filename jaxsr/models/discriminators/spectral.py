"""Spectral normalisation: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial
Networks", https://arxiv.org/abs/1802.05957.

A kernel is divided by sigma, an estimate of its largest singular value as a matrix W of outputs by
inputs: sigma = u^T W v, of which u and v are brought nearer to the singular vectors by one power
iteration in every call in training mode.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxsr.models.blocks import Initializer, torch_bias, torch_kernel

_START_ITERATIONS = 15


def _unit(x: jax.Array) -> jax.Array:
    return x / jnp.maximum(jnp.linalg.norm(x), 1e-12)


def power_iteration(matrix: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The next u and v, unit vectors, for an [m, n] matrix: v from u, then u from v."""
    # HIGHEST: accelerators would otherwise multiply in TF32 or bfloat16.
    v = _unit(jnp.matmul(u, matrix, precision=lax.Precision.HIGHEST))
    return _unit(jnp.matmul(matrix, v, precision=lax.Precision.HIGHEST)), v


class SpectralConv(nn.Module):
    """A `size` x `size` convolution, spectrally normalised: [N, H, W, C] -> [N, H', W', features].

    PyTorch's `torch.nn.utils.spectral_norm`, of which "batch_stats" holds `weight_u` as u,
    [features], and `weight_v` as v, [C * size * size] in the order of PyTorch's kernels (channel,
    row, column). There both start at random, so that sigma means nothing before some training;
    here u does and 15 power iterations follow, as in PyTorch's newer parametrisation. Gradients go
    through W, not through u and v.

    Attributes:
      padding: zeros on every side.
      kernel_init: starts the kernel, and the bias at zero; None starts both as PyTorch does.
    """

    features: int
    size: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = False
    kernel_init: Initializer | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        shape = (self.size, self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init or torch_kernel, shape, jnp.float32)
        kernel = kernel / self._sigma(kernel, train)
        dtype = self.dtype or x.dtype
        y = lax.conv_general_dilated(
            x.astype(dtype),
            kernel.astype(dtype),
            (self.stride, self.stride),
            ((self.padding, self.padding), (self.padding, self.padding)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        if self.bias:
            fan_in = self.size**2 * shape[2]
            bias_init = nn.initializers.zeros if self.kernel_init else torch_bias(fan_in)
            bias = self.param("bias", bias_init, (self.features,), jnp.float32)
            y = y + bias.astype(dtype).reshape(1, 1, 1, -1)
        return y

    def _sigma(self, kernel: jax.Array, train: bool) -> jax.Array:
        matrix = kernel.transpose(3, 2, 0, 1).reshape(self.features, -1)
        fixed = lax.stop_gradient(matrix)

        def start() -> jax.Array:
            return _unit(jax.random.normal(self.make_rng("params"), (self.features,)))

        u_var = self.variable("batch_stats", "u", start)
        v_var = self.variable("batch_stats", "v", lambda: jnp.zeros(matrix.shape[1]))
        u, v = u_var.value, v_var.value
        for _ in range(_START_ITERATIONS if self.is_initializing() else int(train)):
            u, v = power_iteration(fixed, u)
            u_var.value, v_var.value = u, v
        u, v = lax.stop_gradient((u, v))
        return jnp.vdot(u, jnp.matmul(matrix, v, precision=lax.Precision.HIGHEST))
