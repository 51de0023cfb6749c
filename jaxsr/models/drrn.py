"""DRRN: Tai et al. 2017, "Image Super-Resolution via Deep Recursive Residual Network", CVPR,
https://openaccess.thecvf.com/content_cvpr_2017/html/Tai_Image_Super-Resolution_via_CVPR_2017_paper.html.

On luma enlarged by bicubic: one recursive block whose units all share the weights of their two
convolutions and all add the block's entry, not the unit's: h_u = c + F(h_{u-1}), h_0 = c. Every
convolution, the first one too, comes after batch norm and ReLU; every batch norm is its own.
Output: bicubic image + conv. MSRA initialisation.

A well-known port trains the network without batch norm and biases; there ReLU works in place, so
that what is added is relu(c), and relu of the image. `batch_norm=False` is that network.
"""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import Conv, he_normal, on_enlarged_luma
from jaxsr.models.card import Card


class DRRN(nn.Module):
    """[N, H, W, 1 or 3] in [0, 1] -> [N, scale * H, scale * W, same].

    `units` are the recursions (B1U25: 25). `train` makes batch norm use the batch's statistics.
    In training the activations inside a unit are computed again rather than kept.
    """

    scale: int
    units: int = 25
    features: int = 128
    batch_norm: bool = True  # without: no biases either
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "y"

    def setup(self) -> None:
        layer = functools.partial(
            Conv, size=3, bias=self.batch_norm, kernel_init=he_normal, dtype=self.dtype
        )
        self.head, self.tail = layer(self.features), layer(1)
        self.conv1, self.conv2 = layer(self.features), layer(self.features)
        if self.batch_norm:
            norm = functools.partial(nn.BatchNorm, momentum=0.9, epsilon=1e-5, dtype=self.dtype)
            self.norm_head, self.norm_tail = norm(), norm()
            self.norm1 = [norm() for _ in range(self.units)]
            self.norm2 = [norm() for _ in range(self.units)]

    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        return on_enlarged_luma(lambda y: self._luma(y, train), lr, self.scale)

    def _luma(self, x: jax.Array, train: bool) -> jax.Array:
        if not self.batch_norm:
            x = nn.relu(x)
        entry = self.head(self._activate(x, "norm_head", None, train))
        if not self.batch_norm:
            entry = nn.relu(entry)
        h = entry
        for u in range(self.units):
            h = entry + self._recompute(h, u) if train else entry + self._unit(h, u, train)
        h = self.tail(self._activate(h, "norm_tail", None, train))
        return x + h.astype(jnp.float32)

    def _recompute(self, h: jax.Array, u: int) -> jax.Array:
        # A lambda, because what `remat` wraps takes arrays only.
        return nn.remat(lambda net, h: net._unit(h, u, True))(self, h)

    def _unit(self, h: jax.Array, u: int, train: bool) -> jax.Array:
        h = self.conv1(self._activate(h, "norm1", u, train))
        return self.conv2(self._activate(h, "norm2", u, train))

    def _activate(self, x: jax.Array, norm: str, u: int | None, train: bool) -> jax.Array:
        """Batch norm (number u of those called `norm`) and ReLU."""
        if self.batch_norm:
            layer = getattr(self, norm) if u is None else getattr(self, norm)[u]
            x = layer(x, use_running_average=not train)
        return nn.relu(x)


_card = functools.partial(
    Card,
    title="Image Super-Resolution via Deep Recursive Residual Network",
    year=2017,
    url="https://openaccess.thecvf.com/content_cvpr_2017/html/"
    "Tai_Image_Super-Resolution_via_CVPR_2017_paper.html",
    upsampling="before: bicubic",
    scales=(2, 3, 4),
    recipe="291 images, Euclidean loss, 31x31 patches of x2, x3 and x4 mixed, batches of 128, SGD "
    "0.1 halved every 65,360 updates, clipped to a norm of 0.01/learning rate",
)
_COUNTED = "The literature counts 297,601 parameters: without the scale and shift of batch norm."
MODELS = {
    "drrn": _card(
        build=DRRN,
        note=_COUNTED,
        published={
            2: {
                "Set5": (37.74, 0.9591),
                "Set14": (33.23, 0.9136),
                "BSD100": (32.05, 0.8973),
                "Urban100": (31.23, 0.9188),
                "Manga109": (37.88, 0.9749),
            },
            3: {
                "Set5": (34.03, 0.9244),
                "Set14": (29.96, 0.8349),
                "BSD100": (28.95, 0.8004),
                "Urban100": (27.53, 0.8378),
                "Manga109": (32.42, 0.9359),
            },
            4: {
                "Set5": (31.68, 0.8888),
                "Set14": (28.21, 0.7720),
                "BSD100": (27.38, 0.7284),
                "Urban100": (25.44, 0.7638),
                "Manga109": (29.18, 0.8914),
            },
        },
    ),
    "drrn_b1u9": _card(build=functools.partial(DRRN, units=9), note=_COUNTED),
}
