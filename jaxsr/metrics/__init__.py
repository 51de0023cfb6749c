"""Measures of a result against the truth: `(sr, hr) -> [N]`, one value per image."""

from jaxsr.metrics.checkerboard import checkerboard
from jaxsr.metrics.distortion import psnr, ssim
from jaxsr.metrics.protocol import PROTOCOLS, Protocol, get_protocol

__all__ = ["PROTOCOLS", "Protocol", "checkerboard", "get_protocol", "psnr", "ssim"]
