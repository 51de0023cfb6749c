"""Image operators: arrays in, arrays out. `io` alone touches files and is imported where used."""

from jaxsr.image.colour import luma, rgb_to_ycbcr, to_float, to_uint8, ycbcr_to_rgb
from jaxsr.image.jpeg import jpeg, soft_round
from jaxsr.image.resample import resample
from jaxsr.image.resize import imresize, imresize_on_host, pillow_resize, resize_matrix

__all__ = [
    "imresize",
    "imresize_on_host",
    "jpeg",
    "luma",
    "pillow_resize",
    "resample",
    "resize_matrix",
    "rgb_to_ycbcr",
    "soft_round",
    "to_float",
    "to_uint8",
    "ycbcr_to_rgb",
]
