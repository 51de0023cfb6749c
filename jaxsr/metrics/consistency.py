"""Whether a result, made small again, is the LR image it was made from."""

import jax
import jax.numpy as jnp

from jaxsr.image.resize import imresize
from jaxsr.metrics.distortion import psnr


@jax.jit
def consistency(sr: jax.Array, lr: jax.Array) -> jax.Array:
    """PSNR in dB, over all channels, of MATLAB-bicubic down-scaled SR against LR; [N].

    Infinite if they are equal. It asks for LR that was made by bicubic down-scaling: of LR that
    was blurred or compressed it tells how far that was from it.

    Args:
      sr: [N, s H, s W, C], uint8 (scaled as 8-bit files are, rounded) or float in [0, 1].
      lr: [N, H, W, C] of the same dtype.

    Raises:
      ValueError: if the sizes have no whole ratio.
    """
    (h, w), (sr_h, sr_w) = lr.shape[1:3], sr.shape[1:3]
    scale = sr_h // h if h else 0
    if scale < 1 or (sr_h, sr_w) != (scale * h, scale * w):
        raise ValueError(f"SR of {sr_h}x{sr_w} is no whole multiple of LR of {h}x{w}")
    if (sr.dtype == jnp.uint8) != (lr.dtype == jnp.uint8):
        raise ValueError(f"SR and LR must both be uint8 or both be float: {sr.dtype}, {lr.dtype}")
    return psnr(imresize(sr, 1 / scale, edge="replicate"), lr)
