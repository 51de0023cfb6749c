"""PSNR and SSIM as the super-resolution literature computes them.

Images are [N, H, W, C] with C = 1 or 3, float in [0, 1] or uint8; the result is float32 [N], one
value per image. Nothing is rounded here: a protocol (`jaxsr.metrics.protocol`) decides that.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.image.colour import luma as to_luma
from jaxsr.image.colour import to_float

_PEAK = 255.0  # inside, pixels are gray levels: differences of 8-bit luma are exact integers
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2


def psnr(sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False) -> jax.Array:
    """Peak signal-to-noise ratio in dB, peak 1 (255 for uint8); infinite for equal images.

    Args:
      sr, hr: [N, H, W, C] of the same shape, float in [0, 1] or uint8.
      shave: pixels removed on every side first (the papers': the scale).
      luma: compare studio-range Y; a one-channel image is its own luma. Otherwise all channels
        share one mean squared error.

    Raises:
      ValueError: if the shapes differ, are not rank 4, or nothing is left after the shave.
    """
    sr, hr = _prepare(sr, hr, shave, luma)
    mse = jnp.mean(jnp.square(sr - hr), axis=(1, 2, 3))
    return 10.0 * jnp.log10(_PEAK**2 / mse)


def ssim(sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False) -> jax.Array:
    """Structural similarity of Wang et al. 2004 (https://doi.org/10.1109/TIP.2003.819861).

    11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, valid region only, no
    down-sampling, biased variances; of colour images the mean of the channels' values.

    Args and errors as `psnr`; each side must keep 11 pixels after the shave.
    """
    sr, hr = _prepare(sr, hr, shave, luma)
    if min(sr.shape[1:3]) < _WINDOW:
        raise ValueError(
            f"SSIM needs {_WINDOW} pixels a side after the shave of {shave}, got {sr.shape[1:3]}"
        )
    # Moments about the mean: float32 cannot hold E[x^2] - E[x]^2 of bright flat regions.
    centre = jnp.mean(hr, axis=(1, 2, 3), keepdims=True)
    x, y = sr - centre, hr - centre
    mx, my, xx, yy, xy = _window_means(jnp.stack([x, y, x * x, y * y, x * y]))
    vx, vy, cov = xx - mx * mx, yy - my * my, xy - mx * my
    mx, my = mx + centre, my + centre
    score = ((2 * mx * my + _C1) * (2 * cov + _C2)) / ((mx * mx + my * my + _C1) * (vx + vy + _C2))
    return jnp.mean(score, axis=(1, 2, 3))


def _prepare(sr: jax.Array, hr: jax.Array, shave: int, luma: bool) -> tuple[jax.Array, jax.Array]:
    if sr.shape != hr.shape:
        raise ValueError(f"SR and HR differ in shape: {sr.shape} and {hr.shape}")
    if sr.ndim != 4:
        raise ValueError(f"expected [N, H, W, C], got shape {sr.shape}")
    if shave < 0 or min(sr.shape[1:3]) <= 2 * shave:
        raise ValueError(f"a shave of {shave} leaves nothing of {sr.shape[1]}x{sr.shape[2]} pixels")
    inner = slice(shave, -shave or None)
    return _levels(sr[:, inner, inner], luma), _levels(hr[:, inner, inner], luma)


def _levels(x: jax.Array, luma: bool) -> jax.Array:
    """float32 gray levels 0..255 of all channels, or of luma."""
    if luma and x.shape[-1] == 3:
        return _PEAK * to_luma(to_float(x))
    if luma and x.shape[-1] != 1:
        raise ValueError(f"luma needs 1 or 3 channels, got {x.shape[-1]}")
    return x.astype(jnp.float32) if x.dtype == jnp.uint8 else _PEAK * to_float(x)


def _window_means(x: jax.Array) -> jax.Array:
    """Gaussian means of [..., H, W, C] over the valid region, as two matrix products.

    Few-channel convolutions of this size take longer, to compile as to run.
    """
    offset = np.arange(_WINDOW) - _WINDOW // 2
    window = np.exp(-(offset**2) / (2 * _SIGMA**2))
    window /= window.sum()
    for axis, spec in ((-3, "oh,...hwc->...owc"), (-2, "ow,...hwc->...hoc")):
        size = x.shape[axis] - _WINDOW + 1
        band = np.zeros((size, x.shape[axis]), np.float32)
        for i, weight in enumerate(window):
            band[np.arange(size), np.arange(size) + i] = weight
        x = jnp.einsum(spec, band, x, precision=jax.lax.Precision.HIGHEST)
    return x
