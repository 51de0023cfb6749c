"""Resampling as two matrix products: `imresize` is MATLAB's, `pillow_resize` is Pillow's.

Images are [H, W, C] or [N, H, W, C]. Float images stay float (range kept as given, nothing is
clipped); uint8 and uint16 images stay integers and are rounded and clipped **after each of the
two passes**, as both programs do, so that results agree with theirs to the last bit. Shapes are
static and the rest is `jnp`, so everything jits, vmaps and differentiates (float).
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.image.kernels import EDGES, KERNELS, matlab_matrix, pillow_matrix

# Fixed-point bits of a MATLAB weight on the integer path, and the nudge, in units of the last
# bit, that sends every exact half up: a x3 weight is a multiple of 1/162, which no binary
# fraction holds, and 2^-22 of a gray level is far below the next such multiple.
_MATLAB_BITS, _MATLAB_NUDGE = 36, 1 << 14
_PILLOW_BITS = 22  # PRECISION_BITS of Pillow's 8-bit resampling


def imresize(
    x: jax.Array | np.ndarray,
    scale: float | None = None,
    *,
    shape: tuple[int, int] | None = None,
    kernel: str = "bicubic",
    antialias: bool | None = None,
    edge: str = "symmetric",
) -> jax.Array:
    """Resizes exactly as MATLAB's `imresize`.

    Args:
      x: [H, W, C] or [N, H, W, C]; float of any range, uint8 or uint16.
      scale: output size over input size, the output being `ceil(scale * size)`; or
      shape: (H, W) of the output. Exactly one of the two.
      kernel: "nearest", "bilinear", "bicubic" (a = -0.5), "lanczos2" or "lanczos3".
      antialias: widen the kernel when shrinking; MATLAB's default: all kernels but "nearest".
      edge: "symmetric" (mirror, today's MATLAB and the Python ports) or "replicate" (the MATLAB
        that made the benchmarks' LR files).

    Returns:
      The resized image, same rank and dtype. Integers round half up after each pass.

    Raises:
      ValueError: for a wrong rank or dtype, an unknown kernel or edge, or an empty result.
    """
    x = _check(x, kernel)
    if edge not in EDGES:
        raise ValueError(f"edge must be one of {EDGES}, got {edge!r}")
    if (scale is None) == (shape is None):
        raise ValueError("give either scale or shape")
    size = x.shape[-3:-1]
    if scale is not None:
        if not scale > 0:
            raise ValueError(f"scale must be positive, got {scale}")
        out = tuple(math.ceil(scale * n) for n in size)
        scales = (float(scale), float(scale))
    else:
        assert shape is not None
        out = tuple(shape)
        scales = (out[0] / size[0], out[1] / size[1])
    if min(out) < 1:
        raise ValueError(f"cannot resize {size} to {out}")
    if antialias is None:
        antialias = kernel != "nearest"
    return _imresize(x, out, scales, kernel, antialias, edge)


@functools.partial(jax.jit, static_argnums=(1, 2, 3, 4, 5))
def _imresize(
    x: jax.Array,
    out: tuple[int, int],
    scales: tuple[float, float],
    kernel: str,
    antialias: bool,
    edge: str,
) -> jax.Array:
    # MATLAB shrinks the axis of the smaller factor first, rows first when they are equal.
    for axis in (0, 1) if scales[0] <= scales[1] else (1, 0):
        matrix = resize_matrix(x.shape[axis - 3], out[axis], scales[axis], kernel, antialias, edge)
        x = _along(x, matrix, axis, _MATLAB_BITS, _MATLAB_NUDGE)
    return x


def imresize_on_host(x: np.ndarray, scale: float, *, edge: str = "symmetric") -> np.ndarray:
    """`imresize` of uint8 [H, W, C] by bicubic in NumPy: the same bits, nothing compiled.

    For preparing many images of different sizes, each of which JAX would compile anew.
    """
    from scipy import sparse

    if x.dtype != np.uint8 or x.ndim != 3:
        raise ValueError(f"expected uint8 [H, W, C], got {x.dtype} of shape {x.shape}")
    for _ in range(2):  # the rows; then, the axes swapped, the columns
        n, m, c = x.shape
        matrix = resize_matrix(n, math.ceil(scale * n), float(scale), "bicubic", True, edge)
        # 36 bits of weight, 8 of pixel and a few of carry: every float64 sum is an exact integer.
        weights = sparse.csr_array(_fixed_point(matrix, _MATLAB_BITS))
        total = weights @ x.reshape(n, m * c).astype(np.float64)
        level = np.floor((total + _MATLAB_NUDGE) / 2.0**_MATLAB_BITS + 0.5)
        x = np.clip(level, 0, 255).astype(np.uint8).reshape(-1, m, c).swapaxes(0, 1)
    return np.ascontiguousarray(x)


def pillow_resize(
    x: jax.Array | np.ndarray, shape: tuple[int, int], kernel: str = "bicubic"
) -> jax.Array:
    """Resizes exactly as Pillow's `Image.resize((W, H), resample)`, always antialiased.

    Along the rows first, then along the columns, as Pillow does; Pillow 13 takes the columns
    first for some reductions, which can move its 8-bit results by a gray level.

    Args:
      x: [H, W, C] or [N, H, W, C], uint8 or float ("F" images, any range).
      shape: (H, W) of the output.
      kernel: "nearest", "bilinear", "bicubic" or "lanczos3" (Pillow's LANCZOS).

    Raises:
      ValueError: for a wrong rank or dtype, an unknown kernel, or an empty result.
    """
    x = _check(x, kernel)
    if x.dtype == jnp.uint16:
        raise ValueError("Pillow has no 16-bit colour resampling; convert to float first")
    if min(shape) < 1:
        raise ValueError(f"cannot resize to {shape}")
    return _pillow_resize(x, tuple(shape), kernel)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _pillow_resize(x: jax.Array, shape: tuple[int, int], kernel: str) -> jax.Array:
    for axis in (1, 0):
        n_in, n_out = x.shape[axis - 3], shape[axis]
        if n_in != n_out:
            x = _along(x, _pillow_cached(n_in, n_out, kernel), axis, _PILLOW_BITS, 0)
    return x


@functools.lru_cache(maxsize=64)
def resize_matrix(
    n_in: int, n_out: int, scale: float, kernel: str, antialias: bool, edge: str
) -> np.ndarray:
    """The float64 [n_out, n_in] matrix of MATLAB's `imresize` along one axis (read only)."""
    matrix = matlab_matrix(n_in, n_out, scale, kernel, antialias, edge)
    matrix.flags.writeable = False
    return matrix


@functools.lru_cache(maxsize=64)
def _pillow_cached(n_in: int, n_out: int, kernel: str) -> np.ndarray:
    matrix = pillow_matrix(n_in, n_out, kernel)
    matrix.flags.writeable = False
    return matrix


def _check(x: jax.Array | np.ndarray, kernel: str) -> jax.Array:
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {tuple(KERNELS)}, got {kernel!r}")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(f"expected a non-empty [H, W, C] or [N, H, W, C], got shape {x.shape}")
    if x.dtype not in (np.uint8, np.uint16) and not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"expected uint8, uint16 or float pixels, got {x.dtype}")
    return jnp.asarray(x)


def _along(x: jax.Array, matrix: np.ndarray, axis: int, bits: int, nudge: int) -> jax.Array:
    """Multiplies `matrix` into the row (0) or column (1) axis of x, in x's own arithmetic."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        return _along_integer(x, matrix, axis, bits, nudge)
    compute = jnp.promote_types(x.dtype, jnp.float32)
    return _product(jnp.asarray(matrix, compute), x.astype(compute), axis).astype(x.dtype)


def _product(matrix: jax.Array, x: jax.Array, axis: int) -> jax.Array:
    spec = "oh,...hwc->...owc" if axis == 0 else "ow,...hwc->...hoc"
    # HIGHEST: accelerators would otherwise multiply in TF32 or bfloat16.
    return jnp.einsum(spec, matrix, x, precision=jax.lax.Precision.HIGHEST)


def _fixed_point(matrix: np.ndarray, bits: int) -> np.ndarray:
    """The weights in units of 2^-bits, rounded half away from zero as Pillow does."""
    fixed = matrix * 2.0**bits
    return np.trunc(fixed + np.copysign(0.5, fixed))


def _along_integer(x: jax.Array, matrix: np.ndarray, axis: int, bits: int, nudge: int) -> jax.Array:
    """floor(weights @ x + 1/2) in exact fixed-point arithmetic, without 64-bit numbers.

    The weights are split into digits so small that a float32 product of any digit matrix with
    the pixels is an exact integer in whatever order a device sums it; the digits' results are
    then combined by integer carries.
    """
    peak = int(jnp.iinfo(x.dtype).max)
    taps = int((matrix != 0).sum(axis=1).max())
    digit = 24 - math.ceil(math.log2(peak * taps))  # peak * taps * 2^digit <= 2^24
    if digit < 1:
        raise ValueError(f"{taps} taps are too many to sum {x.dtype} exactly; resize in steps")
    count = -(-bits // digit)
    nudge <<= count * digit - bits
    fixed = _fixed_point(matrix, bits).astype(np.int64) << (count * digit - bits)
    pixels = x.astype(jnp.float32)
    carry = jnp.int32(nudge)
    for place in range(count):
        piece = fixed >> (digit * place)
        if place == count - 1:  # the top digit keeps the sign and the whole part
            total = _product(jnp.asarray(piece, jnp.float32), pixels, axis).astype(jnp.int32)
            carry = (total + carry + (1 << (digit - 1))) >> digit
        else:
            piece = piece & ((1 << digit) - 1)
            total = _product(jnp.asarray(piece, jnp.float32), pixels, axis).astype(jnp.int32)
            carry = (total + carry) >> digit
    return jnp.clip(carry, 0, peak).astype(x.dtype)
