"""The mean colour as a 1x1 convolution, for networks whose weight files hold it."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxsr.models.blocks import DIV2K_MEAN


class MeanShift(nn.Module):
    """[N, H, W, 3] -> the same plus `sign` times DIV2K's mean colour, as it starts.

    Computed in float32, whatever the compute type of the network: this is the image itself.

    Attributes:
      rgb_range: the range of the pixels.
      frozen: hold the weights without training them.
    """

    sign: int
    rgb_range: float = 1.0
    frozen: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", lambda _: jnp.eye(3, dtype=jnp.float32).reshape(1, 1, 3, 3))
        mean = self.sign * self.rgb_range * DIV2K_MEAN
        bias = self.param("bias", lambda _: jnp.asarray(mean, jnp.float32))
        if self.frozen:
            kernel, bias = lax.stop_gradient((kernel, bias))
        y = lax.conv_general_dilated(
            x.astype(jnp.float32),
            kernel,
            (1, 1),
            "VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision="highest",
        )
        return y + bias.reshape(1, 1, 1, 3)
