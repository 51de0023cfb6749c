"""Image operators: arrays in, arrays out. `io` alone touches files and is imported where used."""

from jaxsr.image.colour import luma, rgb_to_ycbcr, to_float, to_uint8, ycbcr_to_rgb
from jaxsr.image.filters import blur, gaussian_blur, unsharp_mask
from jaxsr.image.jpeg import jpeg, soft_round
from jaxsr.image.noise import correlated_noise, gaussian_noise, poisson_noise, speckle_noise
from jaxsr.image.resample import resample
from jaxsr.image.resize import imresize, imresize_on_host, pillow_resize, resize_matrix

__all__ = [
    "blur",
    "correlated_noise",
    "gaussian_blur",
    "gaussian_noise",
    "imresize",
    "imresize_on_host",
    "jpeg",
    "luma",
    "pillow_resize",
    "poisson_noise",
    "resample",
    "resize_matrix",
    "rgb_to_ycbcr",
    "soft_round",
    "speckle_noise",
    "to_float",
    "to_uint8",
    "unsharp_mask",
    "ycbcr_to_rgb",
]
