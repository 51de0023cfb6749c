"""Perceptual losses: distances of the features of a fixed network."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jaxsr.errors import InputError, nearest
from jaxsr.losses.contextual import contextual
from jaxsr.losses.pixel import l1, mse
from jaxsr.losses.texture import gram_l1, texture
from jaxsr.vision import TRUNKS, Params, weights

_EPS = 1e-8
_CRITERIA = {"mse": mse, "gram": gram_l1, "contextual": contextual}
_NAMED = ("realesrgan", "enhancenet", "texture")


def perceptual(name: str) -> Partial:
    """The loss of a name that begins with a network's of `jaxsr.vision.TRUNKS`, see there.

    * "vgg19_conv5_4": L1 of that layer's features; a conv is before its ReLU. ESRGAN's.
    * "vgg19_relu5_4_mse": mean squared error of them, here after the ReLU. SRGAN's, who divide
      the features by 12.75: a weight of 1 / 12.75^2 = 0.00615, meant for Caffe's weights
      ("vgg19_caffe_relu5_4_mse"), whose features have that size.
    * "vgg19_relu4_4_gram", "vgg19_relu4_4_contextual": `losses.gram_l1` and `losses.contextual`
      of them.
    * "vgg19_realesrgan": L1 of the last convolution of each block, weights 0.1, 0.1, 1, 1, 1.
    * "vgg19_enhancenet": MSE of pool2 and pool5, weights 0.2 and 0.02, each image's features
      divided by their mean.
    * "vgg19_texture": EnhanceNet's, `losses.texture` of relu1_1, relu2_1 and relu3_1, weights
      3e-7, 1e-6 and 1e-6; patches must be multiples of 64.

    So with "vgg16", whose conv5_3 stands in for VGG19's conv5_4 where that cannot be had, and
    "vgg_random" (`jaxsr.vision.weights.random_params`), which needs no file.

    Raises:
      InputError: for another name, or weights that are not on this machine.
    """
    network, layer = _split(name)
    named = _NAMED if network.startswith("vgg") else ()
    if layer in named:
        return _named(network, layer)
    inner, _, last = layer.rpartition("_")
    at, criterion = (inner, _CRITERIA[last]) if last in _CRITERIA else (layer, l1)
    layers = TRUNKS[network].layers
    if at not in layers:
        known = nearest(at, (*layers, *named))
        raise InputError(f"loss '{name}': {network} has no layer '{at}'{known}")
    return feature_loss(network, {at: 1.0}, criterion)


def features(name: str) -> Partial:
    """What a layer of a fixed network makes of images, by a name such as "vgg19_relu5_4".

    [N, H, W, 3] in [0, 1], not clipped, -> [N, h, w, C] in float32; a pytree of the network's
    parameters.

    Raises:
      InputError: for an unknown network or layer, or weights that are not on this machine.
    """
    network, layer = _split(name)
    trunk = TRUNKS[network]
    trunk.check((layer,))
    return Partial(lambda params, x: trunk(params, x, (layer,))[layer], weights.loaded(network))


def _split(name: str) -> tuple[str, str]:
    """The network and what follows in a name."""
    network = max((net for net in TRUNKS if name.startswith(f"{net}_")), key=len, default=None)
    if network is None:
        known = [f"{net}_{TRUNKS[net].taps[-1]}" for net in TRUNKS]
        raise InputError(f"unknown loss '{name}'{nearest(name, known)}")
    return network, name.removeprefix(f"{network}_")


def _named(network: str, kind: str) -> Partial:
    """One of `_NAMED`, of a VGG."""
    if kind == "realesrgan":
        convs = (tap.replace("relu", "conv") for tap in TRUNKS[network].taps)
        return feature_loss(network, dict(zip(convs, (0.1, 0.1, 1.0, 1.0, 1.0), strict=True)))
    if kind == "enhancenet":
        return feature_loss(network, {"pool2": 0.2, "pool5": 0.02}, mse, by_own_mean)
    return feature_loss(network, {"relu1_1": 3e-7, "relu2_1": 1e-6, "relu3_1": 1e-6}, texture)


def feature_loss(
    network: str,
    layers: Mapping[str, float],
    criterion: Callable[[jax.Array, jax.Array], jax.Array] = l1,
    transform: Callable[[jax.Array], jax.Array] = lambda features: features,
    params: Params | None = None,
) -> Partial:
    """A loss `(sr, hr) -> scalar`: the weighted sum over layers of a distance of their features.

    SR and HR are [N, H, W, 3] or gray, in [0, 1], not clipped; features are float32. No gradient
    goes to HR.

    Args:
      network: of `jaxsr.vision.TRUNKS`.
      layers: {name: weight}: "conv5_4" before the ReLU, "relu5_4" after it.
      criterion: of two feature maps [N, h, w, C], after `transform`.
      params: of the network, else those that `jaxsr.vision.load` finds.

    Returns:
      The loss as a pytree, whose leaves are the network's parameters: given to a compiled
      function as an argument they are not copied into its program (59 MB for VGG16).

    Raises:
      InputError: for an unknown network or layer, or weights that are not on this machine.
    """
    if network not in TRUNKS:
        raise InputError(f"unknown network '{network}'{nearest(network, TRUNKS)}")
    trunk = TRUNKS[network]
    trunk.check(layers)

    def loss(params: Params, sr: jax.Array, hr: jax.Array) -> jax.Array:
        ours = trunk(params, sr, layers)
        theirs = trunk(params, jax.lax.stop_gradient(hr), layers)
        return sum(
            (
                weight * criterion(transform(ours[name]), transform(theirs[name]))
                for name, weight in layers.items()
            ),
            start=jnp.zeros(()),
        )

    return Partial(loss, weights.loaded(network) if params is None else params)


def by_own_mean(features: jax.Array) -> jax.Array:
    """Each image's features divided by their mean (EnhanceNet), which is not 0 here."""
    return features / (jnp.mean(features, axis=(1, 2, 3), keepdims=True) + _EPS)
