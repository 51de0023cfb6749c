"""Point spread functions: the blur kernels of degradations, [size, size] float32 of sum 1.

`size` is odd and fixes the shape; everything else may be traced, so that `jax.vmap` gives every
image of a batch a kernel of its own. That includes `support`: an odd number up to `size` (the
default), outside whose square around the centre the kernel is zero; it is normalised after.

Where two standard deviations and an angle are given, z = (x, y) has x to the right and y
downwards from the centre, the covariance is S = R(theta) diag(sigma_x^2, sigma_y^2) R(theta)^T
with theta in radians, and q = z^T S^-1 z. Deviations below 1e-4 pixels count as 1e-4: a delta.
With a traced theta, an image's kernel has the same bits in every batch; with a constant one,
XLA on CPU may round the last bit otherwise.
"""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np

# A number, or a traced float32 or int32 scalar
Scalar = float | jax.Array


def gaussian(
    size: int,
    sigma_x: Scalar,
    sigma_y: Scalar | None = None,
    theta: Scalar = 0.0,
    *,
    support: int | jax.Array | None = None,
) -> jax.Array:
    """exp(-q / 2), sampled at the pixels' centres; isotropic without `sigma_y`."""
    q = _mahalanobis(size, sigma_x, sigma_x if sigma_y is None else sigma_y, theta)
    return _normalised(jnp.exp(-0.5 * q), support)


def generalized_gaussian(
    size: int,
    sigma_x: Scalar,
    sigma_y: Scalar,
    theta: Scalar,
    beta: Scalar,
    *,
    support: int | jax.Array | None = None,
) -> jax.Array:
    """exp(-q^beta / 2), beta > 0: peaked below 1, flat-topped above (Real-ESRGAN's families).

    S is the covariance only for beta = 1.
    """
    q = _mahalanobis(size, sigma_x, sigma_y, theta)
    return _normalised(jnp.exp(-0.5 * q**beta), support)


def plateau(
    size: int,
    sigma_x: Scalar,
    sigma_y: Scalar,
    theta: Scalar,
    beta: Scalar,
    *,
    support: int | jax.Array | None = None,
) -> jax.Array:
    """1 / (1 + q^beta), beta > 0: a flat top with long tails (Real-ESRGAN's families)."""
    q = _mahalanobis(size, sigma_x, sigma_y, theta)
    return _normalised(1.0 / (1.0 + q**beta), support)


def sinc(size: int, omega: Scalar, *, support: int | jax.Array | None = None) -> jax.Array:
    """The ideal circular low-pass omega J1(omega r) / (2 pi r), which rings.

    Args:
      omega: cut-off in radians per pixel, 0 < omega <= pi.
    """
    far = _half(size)
    i = np.arange(-far, far + 1)
    u = omega * jnp.asarray(np.hypot(i[:, None], i), jnp.float32)
    # J1(u) / u = 1/pi * the integral of cos(u t) sqrt(1 - t^2) over -1 < t < 1, by Gauss-Chebyshev
    # quadrature with 2 m nodes: exact to float32 while 4 m is well beyond the largest u = 2.3 size.
    m = 8 + 2 * size // 3
    angle = np.arange(1, m + 1) * np.pi / (2 * m + 1)
    nodes = jnp.asarray(np.cos(angle), jnp.float32)
    weights = jnp.asarray(np.sin(angle) ** 2, jnp.float32)  # constants go with the normalisation
    # A loop, for the same reason as in `_unit_sum`.
    kernel = jax.lax.fori_loop(
        0, m, lambda k, total: total + weights[k] * jnp.cos(u * nodes[k]), jnp.zeros_like(u)
    )
    return _normalised(kernel, support)


def shifted(kernel: jax.Array, dy: Scalar, dx: Scalar) -> jax.Array:
    """The kernel [K, L] moved down by dy and right by dx pixels, by bilinear interpolation.

    Beyond the array the kernel is zero; what moves out of it is lost and the rest renormalised.
    """
    moved = kernel
    for axis, by in enumerate((dy, dx)):
        whole = jnp.floor(by)
        part = by - whole
        at = jnp.arange(kernel.shape[axis]) - whole.astype(jnp.int32)
        moved = (1.0 - part) * _picked(moved, at, axis) + part * _picked(moved, at - 1, axis)
    return _unit_sum(moved)


def _half(size: int) -> int:
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a kernel's size must be odd, so that it has a centre, got {size}")
    return size // 2


def _mahalanobis(size: int, sigma_x: Scalar, sigma_y: Scalar, theta: Scalar) -> jax.Array:
    """q at every pixel, [size, size]."""
    far = _half(size)
    y, x = np.mgrid[-far : far + 1, -far : far + 1].astype(np.float32)
    c, s = jnp.cos(theta), jnp.sin(theta)
    along, across = c * x + s * y, c * y - s * x
    # Reciprocals first: compilers may or may not turn a division into them, kernel by kernel.
    per_x, per_y = 1.0 / jnp.maximum(sigma_x, 1e-4), 1.0 / jnp.maximum(sigma_y, 1e-4)
    return (along * per_x) ** 2 + (across * per_y) ** 2


def _normalised(kernel: jax.Array, support: int | jax.Array | None) -> jax.Array:
    """Zero outside the centred support x support square, sum 1."""
    if support is not None:
        far = len(kernel) // 2
        inside = 2 * jnp.abs(jnp.arange(-far, far + 1)) < support
        kernel = jnp.where(inside[:, None] & inside[None, :], kernel, 0.0)
    return _unit_sum(kernel)


@jax.jit
def _unit_sum(kernel: jax.Array) -> jax.Array:
    """The kernel divided by its sum, taken down the columns and then across.

    Written out, as jnp.sum's order of summation on CPU depends on the batch under vmap: an
    image's kernel would depend on its neighbours.
    """
    column_sums = functools.reduce(operator.add, list(kernel))
    return kernel / functools.reduce(operator.add, list(column_sums))


def _picked(kernel: jax.Array, at: jax.Array, axis: int) -> jax.Array:
    """The rows (axis 0) or columns (1) with these indices, zeros where there is none."""
    n = kernel.shape[axis]
    found = jnp.expand_dims((at >= 0) & (at < n), 1 - axis)
    return jnp.where(found, jnp.take(kernel, at, axis=axis, mode="clip"), 0.0)
