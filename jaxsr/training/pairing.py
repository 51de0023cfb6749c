"""LR and HR as the network and the loss see them, made inside the compiled step."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.data.augment import choose, cutblur, mixup, shuffle_rgb
from jaxsr.data.batches import Batch
from jaxsr.degradations import Degradation
from jaxsr.image.filters import unsharp_mask
from jaxsr.metrics.protocol import Protocol
from jaxsr.training.config import DataConfig

# (one key per patch, batch) -> LR and HR, floats in [0, 1]
Pairing = Callable[[jax.Array, Batch], tuple[jax.Array, jax.Array]]


def make_pairing(
    protocol: Protocol, degrade: Degradation | None, scale: int, data: DataConfig | None = None
) -> Pairing:
    """What comes between the patches that are cut and the network, for one scale.

    In this order: channels shuffled, LR made, HR sharpened, the border cut off, mixup, cutblur.
    A patch's LR is a function of its key alone (mixup aside), not of the batch it is in.

    Args:
      degrade: makes LR; None takes the batch's.
      data: `border`, `mix` and `sharpen` of it.
    """
    data = data or DataConfig()

    def pair(keys: jax.Array, batch: Batch) -> tuple[jax.Array, jax.Array]:
        hr, lr = jnp.asarray(batch.hr), None if batch.lr is None else jnp.asarray(batch.lr)
        draws = jax.vmap(lambda key: jax.random.split(key, 6))(keys)
        lr_keys, border_keys, chosen_by, *mix_keys = (draws[:, i] for i in range(6))
        chosen = choose(chosen_by, data.mix) if data.mix else {}
        if "rgb" in chosen:
            hr, lr = shuffle_rgb(mix_keys[0], chosen["rgb"], hr, lr)
        lr, hr = protocol.pair(degrade, lr_keys, hr, lr)
        if data.sharpen:
            hr = jax.vmap(unsharp_mask)(hr)
        if data.border:
            lr, hr = jax.vmap(_cut_border, (0, 0, 0, None, None))(
                border_keys, lr, hr, scale, data.border
            )
        if "mixup" in chosen:
            lr, hr = mixup(mix_keys[1], chosen["mixup"], lr, hr)
        if "cutblur" in chosen:
            lr = cutblur(mix_keys[2], chosen["cutblur"], lr, hr)
        return lr, hr

    return pair


def _cut_border(
    key: jax.Array, lr: jax.Array, hr: jax.Array, scale: int, border: int
) -> tuple[jax.Array, jax.Array]:
    """A random part without 2 * border pixels of each side, on the LR grid.

    Random, because JPEG's blocks would otherwise lie the same way in every patch.
    """
    at = jax.random.randint(key, (2,), 0, 2 * border // scale + 1)
    small, large = (
        (x.shape[0] - 2 * border // f, x.shape[1] - 2 * border // f, x.shape[2])
        for x, f in ((lr, scale), (hr, 1))
    )
    lr = jax.lax.dynamic_slice(lr, (at[0], at[1], 0), small)
    return lr, jax.lax.dynamic_slice(hr, (scale * at[0], scale * at[1], 0), large)
