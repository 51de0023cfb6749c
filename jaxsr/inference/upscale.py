"""Enlarging pictures: gray, colour, transparent, 8 bits, 16 bits or float, through one model.

Inside, pixels are [H, W, C] float32 in [0, 1]. What comes out has the dtype and the channels of
what went in: gray stays gray, opaque stays opaque, integers are rounded half up.
"""

import functools
import os
from typing import Any

import jax
import numpy as np

from jaxsr.errors import InputError
from jaxsr.image.io import Picture, read_image
from jaxsr.image.resize import imresize
from jaxsr.models.apply import enlarge


def upscale(
    image: str | os.PathLike[str] | np.ndarray | jax.Array,
    *,
    model: Any,
    variables: Any = None,
    scale: int | None = None,
) -> np.ndarray:
    """Enlarges one picture `model.scale` times.

    Args:
      image: a file, or [H, W] or [H, W, 1..4] pixels, uint8, uint16 or float in [0, 1]. Two
        channels are gray and alpha, four RGB and alpha; alpha is straight.
      model: from `jaxsr.create_model`.
      variables: its weights; interpolation needs none.
      scale: if given, must be the model's.

    Returns:
      [scale * H, scale * W] or [scale * H, scale * W, C], same rank, dtype and C as the input; a
      file gives [.., .., C] uint8 or uint16.

    Raises:
      InputError: for a file that cannot be read, another shape, dtype or range, missing weights,
        a scale that is not the model's, a result that does not fit into memory, or a network
        that gives NaN or infinity.
    """
    if scale is not None and scale != model.scale:
        raise InputError(f"scale={scale}, but the model enlarges {model.scale} times; drop scale")
    if variables is None:
        if model.colour != "any":
            raise InputError(f"{type(model).__name__} has no weights of its own; give variables")
        variables = {}
    if isinstance(image, (str, os.PathLike)):
        picture = read_image(image)
        parts = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha]
        samples = np.concatenate(parts, axis=-1)
    else:
        samples = np.asarray(image)
    _check(samples)
    try:
        result = _upscale(samples, model, variables)
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        if isinstance(error, jax.errors.JaxRuntimeError) and "memory" not in str(error).lower():
            raise
        height, width = (model.scale * n for n in samples.shape[:2])
        raise InputError(
            f"not enough memory to make a picture of {width}x{height}; cut it into parts"
        ) from None
    return result


def _upscale(samples: np.ndarray, model: Any, variables: Any) -> np.ndarray:
    x = samples.astype(np.float32)
    if np.issubdtype(samples.dtype, np.integer):
        x /= np.iinfo(samples.dtype).max
    if x.ndim == 2:
        x = x[..., None]
    colours = x.shape[-1] - (x.shape[-1] in (2, 4))
    colour, alpha = _enlarge(x[..., :colours], x[..., colours:], model, variables)
    result = _quantised(np.concatenate([colour, alpha], axis=-1), samples.dtype)
    return result if samples.ndim == 3 else result[..., 0]


def upscale_picture(picture: Picture, model: Any, variables: Any) -> Picture:
    """Enlarges a picture `model.scale` times: same dtype and channels, its profile kept.

    Raises:
      InputError: as `upscale`.
    """
    samples = picture.pixels
    if picture.alpha is not None:
        samples = np.concatenate([picture.pixels, picture.alpha], axis=-1)
    result = upscale(samples, model=model, variables=variables)
    if picture.alpha is None:
        return Picture(result, None, picture.icc)
    return Picture(result[..., :-1], result[..., -1:], picture.icc)


def _check(x: np.ndarray) -> None:
    if x.ndim not in (2, 3) or 0 in x.shape or (x.ndim == 3 and x.shape[-1] > 4):
        raise InputError(f"image of shape {x.shape}; expected [H, W] or [H, W, 1..4]")
    if np.issubdtype(x.dtype, np.floating):
        low, high = x.min(), x.max()
        if not (low >= 0 and high <= 1):  # false for NaN, too
            raise InputError(
                f"float image with values in [{low:g}, {high:g}]; expected [0, 1], or give uint8"
            )
    elif x.dtype not in (np.uint8, np.uint16):
        raise InputError(f"image of dtype {x.dtype}; expected uint8, uint16 or float in [0, 1]")


def _quantised(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    if np.issubdtype(dtype, np.integer):
        x = np.floor(x * np.float32(np.iinfo(dtype).max) + np.float32(0.5))
    return x.astype(dtype)


def _enlarge(
    colour: np.ndarray, alpha: np.ndarray, model: Any, variables: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Colour [H, W, 1 or 3] and alpha [H, W, 0 or 1], each enlarged; not clipped."""
    if alpha.shape[-1] == 0 or (alpha == 1).all():  # imresize's weights sum to 1 but for rounding
        height, width = (model.scale * n for n in alpha.shape[:2])
        big_alpha = np.ones((height, width, alpha.shape[-1]), np.float32)
    else:
        colour = _fill_transparent(colour, alpha)
        big_alpha = np.asarray(imresize(alpha, scale=model.scale))
    return _colour(colour, model, variables), big_alpha


def _fill_transparent(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colour with that of invisible pixels replaced by their nearest visible neighbour's.

    Files hold anything under alpha 0, mostly black, and the network would spread it over the
    visible edge. Enlarging premultiplied colour and dividing would avoid that, too, but shows the
    network dark rims that no photograph has, and the division magnifies its errors there.
    """
    from scipy import ndimage

    hidden = alpha[..., 0] == 0
    if not hidden.any() or hidden.all():
        return colour
    nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return colour[rows, columns]


def _colour(colour: np.ndarray, model: Any, variables: Any) -> np.ndarray:
    """[H, W, 1 or 3] through the network, same number of channels."""
    sr = np.asarray(_apply(model, variables, colour[None])[0], np.float32)
    if not np.isfinite(sr).all():
        height, width = colour.shape[:2]
        raise InputError(
            f"{type(model).__name__} x{model.scale} gave NaN or infinity for a {width}x{height} "
            "picture; its weights are damaged or their training diverged: use others"
        )
    return sr


@functools.partial(jax.jit, static_argnums=0)
def _apply(model: Any, variables: Any, lr: jax.Array) -> jax.Array:
    # Modules compare by their fields, so that equal models share one compilation per shape.
    return enlarge(model, variables, lr)
