"""How much of an image's detail repeats with the period of the enlargement: checkerboards."""

import functools

import jax
import jax.numpy as jnp

# Of [0, 1]: detail below a thousandth of a gray level is rounding, and flat images score 0.
_NOTHING = (1e-3 / 255) ** 2


def checkerboard(x: jax.Array, scale: int) -> jax.Array:
    """The share of the detail's energy that is a pattern of period `scale`, from 0 to 1.

    Detail is the image minus its mean over one period around each pixel, which keeps such a
    pattern whole and removes ramps. With d[p] its mean over all pixels of phase
    p = (row mod scale, column mod scale), the share is

        (variance of d over the scale^2 phases) / (variance of the detail),

    variances summed over channels: 1 for nothing but a pattern, however faint; a^2 / (a^2 + v)
    for a pattern of standard deviation a on a picture whose detail has variance v and no pattern.
    By Parseval it is the energy of the detail at the frequencies (k, l) / scale, which pictures
    without the artefact hardly have: of white noise the share is scale^2 - 1 in H W pixels.

    Args:
      x: [N, H, W, C], float in [0, 1].
      scale: the period, from 2.

    Returns:
      [N].

    Raises:
      ValueError: for a scale below 2, or an image of fewer than two periods a side.
    """
    if scale < 2:
        raise ValueError(f"a pattern has a period of at least 2, got {scale}")
    if x.ndim != 4 or min(x.shape[1:3]) < 2 * scale:
        raise ValueError(f"expected [N, H, W, C] with sides of {2 * scale} or more, got {x.shape}")
    detail = _detail(x.astype(jnp.float32), scale)
    n, h, w, c = detail.shape
    phases = detail.reshape(n, h // scale, scale, w // scale, scale, c).mean((1, 3))
    return _energy(phases) / (_energy(detail) + _NOTHING)


def _energy(x: jax.Array) -> jax.Array:
    """The variance of each image, summed over channels."""
    return jnp.var(x, axis=(1, 2)).sum(-1)


def _detail(x: jax.Array, scale: int) -> jax.Array:
    """The image minus its mean over a period, where both exist, cut to whole periods."""
    reach = scale // 2
    taps = jnp.ones(2 * reach + 1)
    if scale % 2 == 0:  # symmetric all the same: the outermost pixels count half
        taps = taps.at[jnp.array([0, -1])].set(0.5)
    mean = x
    for axis in (1, 2):
        size = x.shape[axis] - 2 * reach
        shifted = [jax.lax.slice_in_dim(mean, i, i + size, axis=axis) for i in range(len(taps))]
        weighted = (tap * part for tap, part in zip(taps / scale, shifted, strict=True))
        mean = functools.reduce(jnp.add, weighted)
    h, w = (n // scale * scale for n in mean.shape[1:3])
    return x[:, reach : reach + h, reach : reach + w] - mean[:, :h, :w]
