"""The baselines without parameters: nearest, bilinear, bicubic and Lanczos (MATLAB's kernels)."""

import functools
from typing import ClassVar

import jax
from flax import linen as nn

from jaxsr.image.resize import imresize
from jaxsr.models.card import Card


class Interpolation(nn.Module):
    """Enlarges by MATLAB's `imresize`; `variables` is empty. Any scale and number of channels."""

    scale: int
    kernel: str
    colour: ClassVar[str] = "any"

    def __call__(self, lr: jax.Array) -> jax.Array:
        return imresize(lr, self.scale, kernel=self.kernel)


def _card(kernel: str, title: str, year: int | None, url: str) -> Card:
    return Card(
        build=functools.partial(Interpolation, kernel=kernel),
        title=title,
        year=year,
        url=url,
        upsampling="interpolation",
        scales=(),
        needs_weights=False,
    )


_KEYS = ("Cubic convolution interpolation for digital image processing", 1981)
_DUCHON = ("Lanczos filtering in one and two dimensions", 1979)
MODELS = {
    "nearest": _card("nearest", "Nearest neighbour", None, ""),
    "bilinear": _card("bilinear", "Bilinear interpolation", None, ""),
    "bicubic": _card("bicubic", *_KEYS, "https://doi.org/10.1109/TASSP.1981.1163711"),
    "lanczos": _card(
        "lanczos3",
        *_DUCHON,
        "https://doi.org/10.1175/1520-0450(1979)018<1016:LFIOAT>2.0.CO;2",
    ),
}
