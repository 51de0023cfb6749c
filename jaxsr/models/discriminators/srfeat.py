"""SRFeat's two discriminators: Park et al. 2018, "SRFeat: Single Image Super-Resolution with
Feature Discrimination", https://openaccess.thecvf.com/content_ECCV_2018/papers/Seong-Jin_Park_SRFeat_Single_Image_ECCV_2018_paper.pdf.

Both have SRGAN's layers. One judges images, the other VGG19's features relu5_4 (after the ReLU,
before the pooling), 512 channels a sixteenth of the image's size. As in the authors' code, in
TensorFlow: every convolution has a bias, those of stride 2 pad at the end, kernels start He-normal,
truncated, and biases at zero. Deviation: so do the dense kernels, which there start normal of
deviation 0.1, truncated, whatever the fan-in: the first logits are then tens at 296x296 pixels, on
which the authors train, and for which 98 % of the image discriminator's parameters are one dense
layer's.
"""

import functools
from typing import Any

import jax
from flax import linen as nn

from jaxsr.models.blocks import Initializer
from jaxsr.models.discriminators.card import Card
from jaxsr.models.discriminators.layers import dense_end
from jaxsr.models.discriminators.srgan import convolutions

# He et al. 2015 from a normal distribution cut off at two deviations, its variance restored.
_HE_TRUNCATED: Initializer = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
# What Caffe's VGG19 features are divided by: SRGAN, section 3.2.
_FEATURE_SCALE = 12.75


def _logits(module: Any, x: jax.Array, train: bool) -> jax.Array:
    fields: dict[str, Any] = {"kernel_init": _HE_TRUNCATED, "dtype": module.dtype}
    x = convolutions(x, module.features, train, bias=True, tensorflow=True, **fields)
    return dense_end(x, module.dense, **fields)


class SRFeatImage(nn.Module):
    """Images [N, H, W, 3] in [0, 1], H and W as at initialisation -> logits [N, 1]."""

    features: int = 64
    dense: int = 1024
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        return _logits(self, 2 * x - 1, train)


class SRFeatFeature(nn.Module):
    """VGG19 relu5_4 features [N, H, W, 512], H and W as at initialisation -> logits [N, 1].

    They are divided by 12.75 inside, to be near 1; which is meant for Caffe's weights.
    """

    features: int = 64
    dense: int = 1024
    dtype: Any = None  # compute type; parameters stay float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        return _logits(self, x / _FEATURE_SCALE, train)


_card = functools.partial(
    Card,
    title="SRFeat: Single Image Super-Resolution with Feature Discrimination",
    year=2018,
    url="https://openaccess.thecvf.com/content_ECCV_2018/html/Seong-Jin_Park_SRFeat_Single_Image_ECCV_2018_paper.html",
)
DISCRIMINATORS = {
    "srfeat_image": _card(build=SRFeatImage),
    "srfeat_feature": _card(build=SRFeatFeature, judges="features"),
}
