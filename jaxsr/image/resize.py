"""Resampling, one axis after the other: `imresize` is MATLAB's, `pillow_resize` is Pillow's.

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

from jaxsr.image.kernels import EDGES, KERNELS, Taps, matlab_taps, pillow_taps

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
      kernel: "nearest", "bilinear", "bicubic" (a = -0.5), "bicubic75" (a = -0.75, which is
        PyTorch's and OpenCV's, not one of MATLAB's), "lanczos2" or "lanczos3".
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
        taps = matlab_taps(x.shape[axis - 3], out[axis], scales[axis], kernel, antialias, edge)
        x = _along(x, taps, axis, _MATLAB_BITS, _MATLAB_NUDGE)
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
        taps = matlab_taps(n, math.ceil(scale * n), float(scale), "bicubic", True, edge)
        # 36 bits of weight, 8 of pixel and a few of carry: every float64 sum is an exact integer.
        weight = _fixed_point(taps, _MATLAB_BITS).astype(np.float64)
        first = np.arange(0, weight.size + 1, weight.shape[1])
        matrix = sparse.csr_array((weight.ravel(), taps.index.ravel(), first), (len(weight), n))
        total = matrix @ x.reshape(n, m * c).astype(np.float64)
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
            x = _along(x, pillow_taps(n_in, n_out, kernel), axis, _PILLOW_BITS, 0)
    return x


def resize_matrix(
    n_in: int, n_out: int, scale: float, kernel: str, antialias: bool, edge: str
) -> np.ndarray:
    """The float64 [n_out, n_in] matrix of MATLAB's `imresize` along one axis.

    For the mathematics, such as adjoints; on large images `imresize` itself does not form it.
    """
    return matlab_taps(n_in, n_out, scale, kernel, antialias, edge).matrix()


def _check(x: jax.Array | np.ndarray, kernel: str) -> jax.Array:
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {tuple(KERNELS)}, got {kernel!r}")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(f"expected a non-empty [H, W, C] or [N, H, W, C], got shape {x.shape}")
    if x.dtype not in (np.uint8, np.uint16) and not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"expected uint8, uint16 or float pixels, got {x.dtype}")
    return jnp.asarray(x)


def _along(x: jax.Array, taps: Taps, axis: int, bits: int, nudge: int) -> jax.Array:
    """Resamples the row (0) or column (1) axis of x in x's own arithmetic."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        return _along_integer(x, taps, axis, bits, nudge)
    compute = jnp.promote_types(x.dtype, jnp.float32)
    return _weighted(x.astype(compute), taps, taps.weight, axis).astype(x.dtype)


def _weighted(x: jax.Array, taps: Taps, weight: np.ndarray, axis: int) -> jax.Array:
    """The sums over `taps.index` with these weights, for float x."""
    if taps.n_in <= 32 * weight.shape[1]:  # a matrix product is faster until here
        matrix = jnp.asarray(taps.matrix(weight), x.dtype)
        spec = "oh,...hwc->...owc" if axis == 0 else "ow,...hwc->...hoc"
        # HIGHEST: accelerators would otherwise multiply in TF32 or bfloat16.
        return jnp.einsum(spec, matrix, x, precision=jax.lax.Precision.HIGHEST)
    axis = x.ndim - 3 + axis
    column = [-1 if i == axis else 1 for i in range(x.ndim)]
    terms = [
        jnp.asarray(w, x.dtype).reshape(column) * jnp.take(x, index, axis=axis, mode="clip")
        for w, index in zip(weight.T, taps.index.T, strict=True)
    ]
    return functools.reduce(jnp.add, terms)


def _fixed_point(taps: Taps, bits: int) -> np.ndarray:
    """The weights as int64 in units of 2^-bits, rounded half away from zero as Pillow does."""
    fixed = taps.weight * 2.0**bits
    return np.trunc(fixed + np.copysign(0.5, fixed)).astype(np.int64)


def _along_integer(x: jax.Array, taps: Taps, axis: int, bits: int, nudge: int) -> jax.Array:
    """floor(weights @ x + 1/2) in exact fixed-point arithmetic, without 64-bit numbers.

    The weights are split into digits so small that a float32 sum of any digit times the pixels
    is an exact integer in whatever order a device adds; the digits' sums are then combined by
    integer carries.
    """
    peak = int(jnp.iinfo(x.dtype).max)
    count = taps.weight.shape[1]
    digit = 24 - math.ceil(math.log2(peak * count))  # peak * taps * 2^digit <= 2^24
    if digit < 1:
        raise ValueError(f"{count} taps are too many to sum {x.dtype} exactly; resize in steps")
    places = -(-bits // digit)
    spare = places * digit - bits
    fixed = _fixed_point(taps, bits) << spare
    pixels = x.astype(jnp.float32)
    carry = jnp.int32(nudge << spare)
    for place in range(places):
        piece = fixed >> (digit * place)
        if place < places - 1:
            piece = piece & ((1 << digit) - 1)
        else:  # the top digit keeps the sign and the whole part; half a level rounds
            carry = carry + (1 << (digit - 1))
        total = _weighted(pixels, taps, piece, axis).astype(jnp.int32)
        carry = (total + carry) >> digit
    return jnp.clip(carry, 0, peak).astype(x.dtype)
