"""AlexNet without the classifier, in the one-column form that torchvision trained.

Krizhevsky 2014, https://arxiv.org/abs/1404.5997. Layers: conv1, relu1, pool1, conv2, relu2, pool2,
conv3, relu3, conv4, relu4, conv5, relu5, pool5. Images need 31 pixels a side.
"""

import jax

from jaxsr.vision.trunk import Params, Trunk, conv, conv_shapes, max_pool

# of each convolution: kernel size, stride, padding, channels in and out
_CONVS = {
    "conv1": (11, 4, 2, 3, 64),
    "conv2": (5, 1, 2, 64, 192),
    "conv3": (3, 1, 1, 192, 384),
    "conv4": (3, 1, 1, 384, 256),
    "conv5": (3, 1, 1, 256, 256),
}


def _layer(params: Params, name: str, x: jax.Array) -> jax.Array:
    if name in _CONVS:
        _, stride, pad, _, _ = _CONVS[name]
        return conv(params, name, x, stride, pad)
    return jax.nn.relu(x) if name.startswith("relu") else max_pool(x, 3)


ALEXNET = Trunk(
    layers=(
        *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
        *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
    ),
    layer=_layer,
    shapes={
        key: shape
        for name, (size, _, _, inputs, outputs) in _CONVS.items()
        for key, shape in conv_shapes(name, size, inputs, outputs).items()
    },
    taps=("relu1", "relu2", "relu3", "relu4", "relu5"),
)
