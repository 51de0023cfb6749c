"""PSNR and RMSE as the super-resolution literature computes them.

Images are [N, H, W, C] with C = 1 or 3, float in [0, 1] or uint8; the result is float32 [N], one
value per image. Nothing is rounded here: a protocol (`jaxsr.metrics.protocol`) decides that.
"""

import jax
import jax.numpy as jnp

from jaxsr.image.colour import luma as to_luma
from jaxsr.image.colour import to_float

PEAK = 255.0  # inside, pixels are gray levels: differences of 8-bit luma are exact integers


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
    return 10.0 * jnp.log10(PEAK**2 / _mse(sr, hr, shave, luma))


def rmse(sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False) -> jax.Array:
    """Root of the mean squared error in gray levels, 0..255, of each image; as `psnr`.

    Of a set of images the PIRM challenge takes the root of the mean of their squares.
    """
    return jnp.sqrt(_mse(sr, hr, shave, luma))


def _mse(sr: jax.Array, hr: jax.Array, shave: int, luma: bool) -> jax.Array:
    sr, hr = prepare(sr, hr, shave, luma)
    return jnp.mean(jnp.square(sr - hr), axis=(1, 2, 3))


def prepare(sr: jax.Array, hr: jax.Array, shave: int, luma: bool) -> tuple[jax.Array, jax.Array]:
    """Both as float32 gray levels 0..255, shaved; ValueError as `psnr` tells."""
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
        return PEAK * to_luma(to_float(x))
    if luma and x.shape[-1] != 1:
        raise ValueError(f"luma needs 1 or 3 channels, got {x.shape[-1]}")
    return x.astype(jnp.float32) if x.dtype == jnp.uint8 else PEAK * to_float(x)
