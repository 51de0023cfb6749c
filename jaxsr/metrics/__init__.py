"""Measures of a result against the truth: `(sr, hr) -> [N]`, one value per image."""

from jaxsr.metrics.blocking import psnr_b
from jaxsr.metrics.checkerboard import checkerboard
from jaxsr.metrics.consistency import consistency
from jaxsr.metrics.distortion import psnr, rmse
from jaxsr.metrics.dists import dists
from jaxsr.metrics.lpips import lpips
from jaxsr.metrics.niqe import fit_niqe_model, load_niqe_model, niqe
from jaxsr.metrics.perceptual_index import perceptual_index
from jaxsr.metrics.protocol import PROTOCOLS, Protocol, get_protocol
from jaxsr.metrics.structural import ms_ssim, ssim

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "checkerboard",
    "consistency",
    "dists",
    "fit_niqe_model",
    "get_protocol",
    "load_niqe_model",
    "lpips",
    "ms_ssim",
    "niqe",
    "perceptual_index",
    "psnr",
    "psnr_b",
    "rmse",
    "ssim",
]
