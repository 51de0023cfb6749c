"""What several discriminators share: their activation, their dense end, their refusals."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.errors import ScopeParamShapeError

from jaxsr.errors import InputError
from jaxsr.models.blocks import Initializer, torch_bias, torch_kernel


def leaky(x: jax.Array) -> jax.Array:
    """LeakyReLU of slope 0.2."""
    return nn.leaky_relu(x, 0.2)


def pad_as_tensorflow(x: jax.Array) -> jax.Array:
    """The zeros of TensorFlow's SAME in front of a 3x3 convolution of stride 2.

    Even sides get one row (or column) at their end, where PyTorch's padding of 1 also has one
    before and samples the image a pixel earlier; odd sides one at either end.
    """
    rows, columns = (side % 2 for side in x.shape[1:3])
    return jnp.pad(x, ((0, 0), (rows, 1), (columns, 1), (0, 0)))


def dense_end(
    x: jax.Array, width: int, *, kernel_init: Initializer | None = None, dtype: Any = None
) -> jax.Array:
    """Flatten, dense, LeakyReLU, dense 1: [N, H, W, C] -> logits [N, 1], float32.

    The layers are called "dense" and "logit"; to be called in an `nn.compact` method. Features are
    flattened as they lie, channels last; PyTorch's are channels first.

    Args:
      kernel_init: starts the kernels, and biases at zero; None starts both as PyTorch does.

    Raises:
      InputError: if the features have another size than those that made the parameters.
    """

    def dense(x: jax.Array, width: int, name: str) -> jax.Array:
        fan_in = x.shape[-1]
        bias_init = nn.initializers.zeros if kernel_init else torch_bias(fan_in)
        start: dict[str, Any] = {
            "kernel_init": kernel_init or torch_kernel,
            "bias_init": bias_init,
        }
        return nn.Dense(width, dtype=dtype, name=name, **start)(x)

    n, h, w, c = x.shape
    try:
        x = leaky(dense(x.reshape(n, -1), width, "dense"))
    except ScopeParamShapeError:
        raise InputError(
            f"the discriminator's dense layer does not fit {h}x{w} features of {c} channels: it "
            "was made for inputs of another size; give it that size always"
        ) from None
    return dense(x, 1, "logit").astype(jnp.float32)


def refuse_below(side: int, x: jax.Array, name: str) -> None:
    """InputError unless both sides of [N, H, W, C] are at least `side` pixels."""
    h, w = x.shape[1:3]
    if min(h, w) < side:
        raise InputError(
            f"discriminator {name} takes images of at least {side}x{side} pixels, not {h}x{w}; "
            "give it larger patches"
        )
