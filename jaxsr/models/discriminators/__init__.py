"""The registry of discriminators: `create_discriminator(name)` gives a flax.linen Module.

All have the signature `logits = discriminator.apply(variables, x, train)`: x is NHWC, RGB images in
[0, 1] or features; the logits are float32, one a sample, [N, 1], or a map of them, [N, h, w, 1],
before any sigmoid. Each maps the images to its paper's range inside. Batch norms' running
statistics and spectral norms' vectors are in the collection "batch_stats", changed by `train=True`
alone. With batch norm a batch that joins real and fake images gives other logits than one of each:
the published methods, and jaxsr's training, apply the discriminator to each apart.

To add one: one file with a `DISCRIMINATORS` dict, and its line below.
"""

from typing import Any

from flax import linen as nn

from jaxsr.errors import InputError, nearest
from jaxsr.models.discriminators import enhancenet, patchgan, srfeat, srgan, unet, vgg_style
from jaxsr.models.discriminators.card import Card

DISCRIMINATORS: dict[str, Card] = {
    **srgan.DISCRIMINATORS,
    **enhancenet.DISCRIMINATORS,
    **srfeat.DISCRIMINATORS,
    **vgg_style.DISCRIMINATORS,
    **unet.DISCRIMINATORS,
    **patchgan.DISCRIMINATORS,
}


def create_discriminator(name: str, **arguments: Any) -> nn.Module:
    """Builds the discriminator `name`.

    Args:
      name: a key of `DISCRIMINATORS`.
      **arguments: fields of the module, such as `features=32` or `dtype=jnp.bfloat16` (the compute
        type).

    Raises:
      InputError: for an unknown name or argument.
    """
    if name not in DISCRIMINATORS:
        raise InputError(f"unknown discriminator '{name}'{nearest(name, DISCRIMINATORS)}")
    try:
        return DISCRIMINATORS[name].build(**arguments)
    except TypeError as error:
        raise InputError(f"cannot build discriminator {name}: {error}") from None


__all__ = ["DISCRIMINATORS", "Card", "create_discriminator"]
