"""PSNR-B: PSNR that charges an image for the edges of its JPEG blocks."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.metrics.distortion import prepare


@functools.partial(jax.jit, static_argnames=("shave", "luma", "block"))
def psnr_b(
    sr: jax.Array, hr: jax.Array, *, shave: int = 0, luma: bool = False, block: int = 8
) -> jax.Array:
    """PSNR-B of Yim & Bovik 2011 (https://doi.org/10.1109/TIP.2010.2061859) in dB; [N].

    10 log10(255^2 / (MSE + BEF)) with the blocking effect factor of SR

        BEF = log2(block) / log2(min(H, W)) * max(0, D_B - D_C),

    D_B the mean squared difference of neighbours across block edges, D_C that of all others; of
    several channels the mean of their values, as in the JPEG tables of the literature.

    Args:
      sr, hr, shave, luma: as `jaxsr.metrics.psnr`. Blocks are counted from the corner of the
        image before the shave; H and W are those after it.
      block: pixels a side. Of an LR file that was a JPEG, SR shows blocks of 8 * scale.

    Raises:
      ValueError: as `psnr`, and if after the shave a side is not longer than a block.
    """
    sr, hr = prepare(sr, hr, shave, luma)
    h, w = sr.shape[1:3]
    if block < 2 or min(h, w) <= block:
        raise ValueError(f"blocks of {block} have no edges in {h}x{w} pixels after the shave")
    mse = jnp.mean(jnp.square(sr - hr), axis=(1, 2))
    total = [jnp.zeros_like(mse), jnp.zeros_like(mse)]  # within blocks, across their edges
    count = [0, 0]
    for axis, size, other in ((1, h, w), (2, w, h)):
        square = jnp.sum(jnp.square(jnp.diff(sr, axis=axis)), axis=3 - axis)  # [N, size - 1, C]
        across = (np.arange(size - 1) + shave + 1) % block == 0
        for kind in (0, 1):
            chosen = np.flatnonzero(across == kind)
            total[kind] += jnp.sum(square[:, chosen], axis=1)
            count[kind] += len(chosen) * other
    within, edges = (t / n for t, n in zip(total, count, strict=True))
    weight = math.log2(block) / math.log2(min(h, w))
    factor = weight * jax.nn.relu(edges - within)
    return jnp.mean(10.0 * jnp.log10(255.0**2 / (mse + factor)), axis=-1)
