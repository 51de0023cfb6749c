"""The model registry: `create_model(name, scale=...)` gives a flax.linen Module.

Every model has the same signature, `sr = model.apply(variables, lr)`: NHWC float32 in [0, 1] in
and out, the result `scale` times as large. Range, mean shift and enlargement happen inside.
Attribute `colour` says which channels it takes: "rgb" three; "y" one (luma), or three, of
which luma goes through the network and chroma through bicubic; "any" any number.

To add a model: one file with a `MODELS` dict, and its line below.
"""

from numbers import Integral
from typing import Any

from flax import linen as nn

from jaxsr.errors import InputError, nearest
from jaxsr.models import (
    carn,
    dbpn,
    drcn,
    drrn,
    edsr,
    enhancenet,
    espcn,
    esrgan,
    fsrcnn,
    idn,
    imdn,
    interpolation,
    lapsrn,
    mdsr,
    memnet,
    msrresnet,
    msrresnet0,
    pan,
    rcan,
    rdn,
    rlfn,
    srcnn,
    srdensenet,
    srfeat,
    srresnet,
    srvgg,
    swinir,
    vdsr,
)
from jaxsr.models.card import Card

MODELS: dict[str, Card] = {
    **interpolation.MODELS,
    **srcnn.MODELS,
    **fsrcnn.MODELS,
    **espcn.MODELS,
    **vdsr.MODELS,
    **drcn.MODELS,
    **drrn.MODELS,
    **memnet.MODELS,
    **lapsrn.MODELS,
    **srdensenet.MODELS,
    **idn.MODELS,
    **srresnet.MODELS,
    **msrresnet.MODELS,
    **msrresnet0.MODELS,
    **edsr.MODELS,
    **mdsr.MODELS,
    **rdn.MODELS,
    **rcan.MODELS,
    **enhancenet.MODELS,
    **srfeat.MODELS,
    **esrgan.MODELS,
    **carn.MODELS,
    **dbpn.MODELS,
    **imdn.MODELS,
    **pan.MODELS,
    **rlfn.MODELS,
    **srvgg.MODELS,
    **swinir.MODELS,
}


def create_model(name: str, *, scale: int, **arguments: Any) -> nn.Module:
    """Builds the model `name` for an integer `scale`.

    Args:
      name: a key of `MODELS`.
      scale: the enlargement; one that the model's paper has, or, for interpolation, any from 1.
      **arguments: fields of the module, such as `dtype=jnp.bfloat16` (the compute type).

    Raises:
      InputError: for an unknown name, scale or argument.
    """
    if name not in MODELS:
        raise InputError(f"unknown model '{name}'{nearest(name, MODELS)}")
    card = MODELS[name]
    if card.scales and scale not in card.scales:
        scales = ", ".join(map(str, card.scales))
        raise InputError(f"{name} has no scale {scale}; it has {scales}")
    if not isinstance(scale, Integral) or scale < 1:
        raise InputError(f"{name} has no scale {scale}; give an integer of at least 1")
    # JSON, in which configs and weights keep them, has lists only; modules must be hashable.
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
    try:
        return card.build(scale=scale, **fields)
    except TypeError as error:
        raise InputError(f"cannot build {name}: {error}") from None


def model_names() -> tuple[str, ...]:
    """The names that `create_model` knows, in the order of the registry."""
    return tuple(MODELS)


__all__ = ["MODELS", "Card", "create_model", "model_names"]
