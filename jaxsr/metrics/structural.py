"""SSIM and MS-SSIM as their authors' scripts compute them; images as `jaxsr.metrics.distortion`."""

import functools

import jax
import jax.numpy as jnp

from jaxsr.image import similarity
from jaxsr.metrics.distortion import PEAK, prepare


@functools.partial(jax.jit, static_argnames=("shave", "luma"))
def ssim(sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False) -> jax.Array:
    """Structural similarity of Wang et al. 2004 (https://doi.org/10.1109/TIP.2003.819861).

    11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, valid region only, no
    down-sampling, biased variances; of colour images the mean of the channels' values.

    Args and errors as `psnr`; each side must keep 11 pixels after the shave.
    """
    x, y = _planes(sr, hr, shave, luma, "SSIM", similarity.WINDOW)
    return jnp.mean(similarity.mean_ssim(x, y, _WINDOW, PEAK), axis=1)


@functools.partial(jax.jit, static_argnames=("shave", "luma"))
def ms_ssim(sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False) -> jax.Array:
    """Multi-scale SSIM of Wang et al. 2003 (https://doi.org/10.1109/ACSSC.2003.1292216).

    The product of the means of cs at four scales and of SSIM at the fifth, raised to .0448, .2856,
    .3001, .2363, .1333; each scale is half as large as the one before, by 2x2 averages. Window and
    constants as `ssim`, of colour images the mean of the channels' values. A negative mean, of
    which the authors' script takes a complex power, counts as 0.

    Args and errors as `psnr`; each side must keep 176 pixels after the shave.
    """
    scales = len(similarity.SCALE_WEIGHTS)
    x, y = _planes(sr, hr, shave, luma, "MS-SSIM", similarity.smallest_side(scales))
    means = similarity.scale_means(x, y, scales, _WINDOW, PEAK)
    powers = [
        jnp.maximum(mean, 0.0) ** weight
        for mean, weight in zip(means, similarity.SCALE_WEIGHTS, strict=True)
    ]
    return jnp.mean(jnp.prod(jnp.stack(powers), axis=0), axis=1)


_WINDOW = similarity.shifted_window(similarity.gaussian(similarity.WINDOW, similarity.SIGMA))


def _planes(
    sr: jax.Array, hr: jax.Array, shave: int, luma: bool, name: str, side: int
) -> tuple[jax.Array, jax.Array]:
    """Gray levels [N, C, H, W] of what is left after the shave; `side` pixels are needed."""
    sr, hr = prepare(sr, hr, shave, luma)
    if min(sr.shape[1:3]) < side:
        raise ValueError(
            f"{name} needs {side} pixels a side after the shave of {shave}, got {sr.shape[1:3]}"
        )
    return similarity.planes(sr), similarity.planes(hr)
