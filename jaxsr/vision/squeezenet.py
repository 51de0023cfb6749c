"""SqueezeNet 1.1 without the classifier.

Iandola et al. 2016, https://arxiv.org/abs/1602.07360; version 1.1 is the authors' later, smaller
one. Layers: conv1, relu1, pool1, fire2, fire3, pool3, fire4, fire5, pool5, fire6 to fire9; a fire
module ends after its ReLU. Its pooling keeps a last window that is not whole.
"""

import jax
import jax.numpy as jnp

from jaxsr.vision.trunk import Params, Trunk, conv, conv_shapes, max_pool

# of each fire module: channels in, squeezed, and of each of the two kinds of convolution out
_FIRES = {
    "fire2": (64, 16, 64),
    "fire3": (128, 16, 64),
    "fire4": (128, 32, 128),
    "fire5": (256, 32, 128),
    "fire6": (256, 48, 192),
    "fire7": (384, 48, 192),
    "fire8": (384, 64, 256),
    "fire9": (512, 64, 256),
}


def _layer(params: Params, name: str, x: jax.Array) -> jax.Array:
    if name in _FIRES:
        x = jax.nn.relu(conv(params, f"{name}/squeeze", x))
        small = conv(params, f"{name}/expand1x1", x)
        large = conv(params, f"{name}/expand3x3", x, pad=1)
        return jax.nn.relu(jnp.concatenate([small, large], axis=-1))
    if name == "conv1":
        return conv(params, name, x, stride=2)
    return jax.nn.relu(x) if name == "relu1" else max_pool(x, 3, ceil=True)


def _fire_shapes(name: str, inputs: int, squeezed: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {
        **conv_shapes(f"{name}/squeeze", 1, inputs, squeezed),
        **conv_shapes(f"{name}/expand1x1", 1, squeezed, outputs),
        **conv_shapes(f"{name}/expand3x3", 3, squeezed, outputs),
    }


SQUEEZENET = Trunk(
    layers=(
        *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3", "fire4", "fire5", "pool5"),
        *("fire6", "fire7", "fire8", "fire9"),
    ),
    layer=_layer,
    shapes=conv_shapes("conv1", 3, 3, 64)
    | {k: v for name, widths in _FIRES.items() for k, v in _fire_shapes(name, *widths).items()},
    taps=("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"),
)
