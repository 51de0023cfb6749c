"""Structural losses: 1 - SSIM, 1 - MS-SSIM, and the mix with L1 of Zhao et al.; in float32.

Nothing is clamped to [0, 1] first, and the windows only see the valid region.
"""

import functools

import jax
import jax.numpy as jnp

from jaxsr.errors import InputError
from jaxsr.image import similarity
from jaxsr.losses.inputs import magnitude, widened

# Below it a mean of cs counts as this much: the slope of x^.0448 at 0 is infinite.
_FLOOR = 1e-4
_PEAK = 1.0
_WANG = similarity.banded_window(similarity.gaussian(similarity.WINDOW, similarity.SIGMA))
_ZHAO_WIDTH = 33  # 4 times the largest sigma on both sides
_ZHAO = {
    sigma: similarity.banded_window(similarity.gaussian(_ZHAO_WIDTH, sigma))
    for sigma in (0.5, 1.0, 2.0, 4.0, 5.0, 8.0)
}


def ssim(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """1 - the mean of `jaxsr.metrics.ssim`, from 0 to 2.

    Raises:
      InputError: for images below 11 pixels a side.
    """
    x, y = _planes(sr, hr, "ssim", similarity.WINDOW)
    return 1.0 - jnp.mean(similarity.mean_ssim(x, y, _WANG, _PEAK))


def ms_ssim(sr: jax.Array, hr: jax.Array, *, scales: int = 5) -> jax.Array:
    """1 - the mean of the multi-scale SSIM of Wang et al. 2003, from 0 to 1.

    With five scales it is `jaxsr.metrics.ms_ssim`, and needs patches of 176 pixels. Fewer scales
    are another, finer-grained loss, not an approximation: the finest ones, with their weights made
    to sum to 1. As losses of their own they are named `ms_ssim_4scales` (88 pixels),
    `ms_ssim_3scales` (44) and `ms_ssim_2scales` (22). Every mean counts as at least 1e-4: where it
    is below, none of its gradient is left, rather than an infinite one.

    Raises:
      InputError: for images below 11 * 2^(scales - 1) pixels a side.
    """
    weights = similarity.SCALE_WEIGHTS[:scales]
    if scales < 5:
        weights = [weight / sum(weights) for weight in weights]
    x, y = _planes(sr, hr, f"ms_ssim of {scales} scales", similarity.smallest_side(scales))
    means = similarity.scale_means(x, y, scales, _WANG, _PEAK)
    powers = [jnp.maximum(m, _FLOOR) ** w for m, w in zip(means, weights, strict=True)]
    return 1.0 - jnp.mean(functools.reduce(jnp.multiply, powers))


def zhao_ms_ssim(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """1 - the mean of the multi-scale SSIM of Zhao et al. 2017, https://arxiv.org/abs/1511.08861.

    Nothing is down-sampled: Gaussian windows of sigma .5, 1, 2, 4, 8 on the full image, and
    l_8 cs_.5 cs_1 cs_2 cs_4 cs_8, all exponents 1, of each channel. Their layer takes the value
    at the centre of a patch, whose width the windows have; here a patch is every 33x33 part of
    the image, and the loss is the mean over all of them.

    Raises:
      InputError: for images below 33 pixels a side.
    """
    x, y = _planes(sr, hr, "zhao_ms_ssim", _ZHAO_WIDTH)
    moments = [similarity.moments(x, y, _ZHAO[sigma]) for sigma in (0.5, 1.0, 2.0, 4.0, 8.0)]
    factors = [similarity.contrast(m, _PEAK) for m in moments]
    product = functools.reduce(jnp.multiply, factors, similarity.luminance(moments[-1], _PEAK))
    return 1.0 - jnp.mean(product)


def zhao_ssim(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """1 - the mean of SSIM as Zhao et al. have it: one window of sigma 5, as `zhao_ms_ssim`."""
    x, y = _planes(sr, hr, "zhao_ssim", _ZHAO_WIDTH)
    return 1.0 - jnp.mean(similarity.mean_ssim(x, y, _ZHAO[5.0], _PEAK))


def gaussian_l1(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Zhao et al.'s L1: |SR - HR| under the window of sigma 8, averaged over all 33x33 parts.

    Pixels near the border are in fewer parts, and count less.

    Raises:
      InputError: for images below 33 pixels a side.
    """
    x, y = _planes(sr, hr, "gaussian_l1", _ZHAO_WIDTH)
    return jnp.mean(_ZHAO[8.0](magnitude(x - y)))


def mix(sr: jax.Array, hr: jax.Array, *, alpha: float) -> jax.Array:
    """Zhao et al.'s alpha * zhao_ms_ssim + (1 - alpha) * gaussian_l1.

    The paper's alpha is 0.84 (`mix_paper`), that of the layer its authors released 0.025
    (`mix_released`): two very different losses. Ports that convolve with grouped kernels in the
    wrong order give each colour other sigmas; this does not.
    """
    return alpha * zhao_ms_ssim(sr, hr) + (1.0 - alpha) * gaussian_l1(sr, hr)


def _planes(sr: jax.Array, hr: jax.Array, name: str, side: int) -> tuple[jax.Array, jax.Array]:
    sr, hr = widened(sr, hr)
    if min(sr.shape[1:3]) < side:
        raise InputError(
            f"the loss {name} needs images of {side} pixels a side, got {sr.shape[1:3]}; take "
            "larger patches (config.data.patch) or a loss with a smaller window or fewer scales"
        )
    return similarity.planes(sr), similarity.planes(hr)


ms_ssim_4scales = functools.partial(ms_ssim, scales=4)
ms_ssim_3scales = functools.partial(ms_ssim, scales=3)
ms_ssim_2scales = functools.partial(ms_ssim, scales=2)
mix_paper = functools.partial(mix, alpha=0.84)
mix_released = functools.partial(mix, alpha=0.025)
