"""Measures of a result against the truth: `(sr, hr) -> [N]`, one value per image."""

from jaxsr.metrics.checkerboard import checkerboard
from jaxsr.metrics.distortion import psnr, rmse
from jaxsr.metrics.protocol import PROTOCOLS, Protocol, get_protocol
from jaxsr.metrics.structural import ms_ssim, ssim

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "checkerboard",
    "get_protocol",
    "ms_ssim",
    "psnr",
    "rmse",
    "ssim",
]
