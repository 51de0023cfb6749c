"""Colour: studio-range YCbCr (ITU-R BT.601, as MATLAB's `rgb2ycbcr`) and 8-bit quantisation.

Float images are in [0, 1], channels last, any leading axes. Luma then lies in [16/255, 235/255].
The sums are written out instead of as a matrix product, so that no device multiplies in TF32.
"""

import jax
import jax.numpy as jnp
import numpy as np

_TO_YCBCR = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
)
_OFFSET = np.array([16.0, 128.0, 128.0])
_TO_RGB = np.linalg.inv(_TO_YCBCR)


def _mix(x: jax.Array, matrix: np.ndarray) -> jax.Array:
    """The 3x3 `matrix` applied to the channels of x."""
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    return jnp.stack([float(m[0]) * r + float(m[1]) * g + float(m[2]) * b for m in matrix], axis=-1)


def _offset(x: jax.Array) -> jax.Array:
    return jnp.broadcast_to(jnp.asarray(_OFFSET, x.dtype), x.shape)


def _check_rgb(x: jax.Array) -> None:
    if x.ndim < 3 or x.shape[-1] != 3:
        raise ValueError(f"expected [..., H, W, 3], got shape {x.shape}")


def rgb_to_ycbcr(x: jax.Array) -> jax.Array:
    """RGB in [0, 1], [..., H, W, 3], to studio-range YCbCr / 255 of the same shape."""
    _check_rgb(x)
    return (_mix(x, _TO_YCBCR) + _offset(x)) / 255.0


def ycbcr_to_rgb(x: jax.Array) -> jax.Array:
    """The inverse of `rgb_to_ycbcr`; not clipped."""
    _check_rgb(x)
    return _mix(255.0 * x - _offset(x), _TO_RGB)


def luma(x: jax.Array) -> jax.Array:
    """Y / 255 of RGB in [0, 1]: [..., H, W, 3] -> [..., H, W, 1].

    A single-channel image is its own luma and returned as it is: no 16-235 compression.
    """
    if x.shape[-1] == 1:
        return x
    _check_rgb(x)
    return (_mix(x, _TO_YCBCR[:1]) + 16.0) / 255.0


def to_float(x: jax.Array | np.ndarray) -> jax.Array:
    """uint8 or uint16 pixels to float32 in [0, 1]; floats pass as float32."""
    if x.dtype in (np.uint8, np.uint16):
        return jnp.asarray(x).astype(jnp.float32) / float(np.iinfo(x.dtype).max)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"expected uint8, uint16 or float pixels, got {x.dtype}")
    return jnp.asarray(x, jnp.float32)


def to_uint8(x: jax.Array | np.ndarray) -> jax.Array:
    """Pixels to uint8: floats in [0, 1] clipped and rounded half up, uint16 divided by 257."""
    if x.dtype == np.uint8:
        return jnp.asarray(x)
    if x.dtype == np.uint16:
        return ((jnp.asarray(x).astype(jnp.int32) + 128) // 257).astype(jnp.uint8)
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.floating):  # half precision cannot hold 255 x + 0.5
        x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return jnp.floor(jnp.clip(x, 0.0, 1.0) * 255.0 + 0.5).astype(jnp.uint8)
