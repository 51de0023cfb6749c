"""How LR is made from HR: a degradation is a pure function `(key, hr) -> lr`.

HR is [H, W, C] or [N, H, W, C], uint8 (LR is then uint8 too, rounded as MATLAB rounds) or float
in [0, 1]. Height and width must be multiples of the scale. The key is for random degradations;
every one takes it so that all have the same signature.
"""

from collections.abc import Callable

import jax

from jaxsr.errors import InputError, nearest
from jaxsr.image.resize import imresize

Degradation = Callable[[jax.Array, jax.Array], jax.Array]


def bicubic(scale: int, edge: str = "replicate") -> Degradation:
    """MATLAB's antialiased bicubic `imresize`, the degradation of the literature ("BI").

    The default edge rule is the one that made the benchmarks' LR files.
    """

    def degrade(key: jax.Array, hr: jax.Array) -> jax.Array:
        del key  # nothing random here
        _check_multiple(hr, scale)
        return imresize(hr, 1 / scale, edge=edge)

    return degrade


def _check_multiple(hr: jax.Array, scale: int) -> None:
    if hr.shape[-3] % scale or hr.shape[-2] % scale:
        raise ValueError(
            f"HR of {hr.shape[-3]}x{hr.shape[-2]} pixels is no multiple of the scale {scale}"
        )


DEGRADATIONS: dict[str, Callable[[int], Degradation]] = {"bicubic": bicubic}


def get_degradation(name: str, scale: int) -> Degradation:
    """The degradation of that name for `scale`; InputError for an unknown name."""
    if name not in DEGRADATIONS:
        raise InputError(f"unknown degradation '{name}'{nearest(name, DEGRADATIONS)}")
    return DEGRADATIONS[name](scale)
