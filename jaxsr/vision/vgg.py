"""VGG16 and VGG19 without the classifier.

Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556 (configurations D and E). Layers
are named as there: conv1_1, relu1_1, conv1_2, relu1_2, pool1, conv2_1, ..., pool5. Pooling drops
the last line of an odd side.
"""

import jax

from jaxsr.vision.trunk import Params, Trunk, conv, conv_shapes, max_pool

_WIDTHS = (64, 128, 256, 512, 512)


def _vgg(depths: tuple[int, ...]) -> Trunk:
    """VGG with that many convolutions before each of the five poolings."""
    layers: list[str] = []
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for block, (depth, width) in enumerate(zip(depths, _WIDTHS, strict=True), start=1):
        for i in range(1, depth + 1):
            layers += [f"conv{block}_{i}", f"relu{block}_{i}"]
            shapes |= conv_shapes(f"conv{block}_{i}", 3, inputs, width)
            inputs = width
        layers.append(f"pool{block}")
    taps = tuple(f"relu{block}_{depth}" for block, depth in enumerate(depths, start=1))
    return Trunk(tuple(layers), _layer, shapes, taps)


def _layer(params: Params, name: str, x: jax.Array) -> jax.Array:
    if name.startswith("conv"):
        return conv(params, name, x, pad=1)
    return jax.nn.relu(x) if name.startswith("relu") else max_pool(x, 2)


VGG16 = _vgg((2, 2, 3, 3, 3))
VGG19 = _vgg((2, 2, 4, 4, 4))
