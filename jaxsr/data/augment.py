"""Augmentations that mix, on the device: pure functions of one key per patch.

Yoo et al., "Rethinking data augmentation for image super-resolution" (CutBlur, arXiv:2004.00448),
with its parameters. The paper draws one augmentation for a whole batch; here every patch has its
own, or none. Flips and quarter turns are made when patches are cut (`jaxsr.data.batches`).
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jaxsr.image.resize import imresize

MIXES = ("rgb", "mixup", "cutblur")
_BETA = 1.2  # of mixup: v ~ Beta(1.2, 1.2)
_RATIO, _SPREAD = 0.7, 0.01  # of cutblur: side of the rectangle over side of the patch


def choose(keys: jax.Array, mix: Mapping[str, float]) -> dict[str, jax.Array]:
    """For each name in `mix` a bool [N]: whether the patch gets it. None gets two.

    Args:
      keys: [N] keys.
      mix: name (of `MIXES`) -> probability; their sum is at most 1.
    """
    at = jax.vmap(jax.random.uniform)(keys)
    chosen, low = {}, 0.0
    for name, p in mix.items():
        chosen[name] = (at >= low) & (at < low + p)
        low += p
    return chosen


def shuffle_rgb(
    keys: jax.Array, use: jax.Array, hr: jax.Array, lr: jax.Array | None
) -> tuple[jax.Array, jax.Array | None]:
    """Puts the channels into a random order, all six equally likely, the same in LR and HR.

    Args:
      keys, use: [N]; where `use` is false nothing changes.
      hr, lr: [N, H, W, 3] of any dtype.
    """
    order = jax.vmap(lambda key: jax.random.permutation(key, 3))(keys)
    order = jnp.where(use[:, None], order, jnp.arange(3)[None])

    def shuffle(x: jax.Array) -> jax.Array:
        return jnp.take_along_axis(x, order[:, None, None, :], axis=3)

    return shuffle(hr), None if lr is None else shuffle(lr)


def mixup(
    keys: jax.Array, use: jax.Array, lr: jax.Array, hr: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """v x + (1 - v) y with the next patch of the batch, v ~ Beta(1.2, 1.2), in LR and HR."""
    v = jax.vmap(lambda key: jax.random.beta(key, _BETA, _BETA))(keys)
    v = jnp.where(use, v, 1.0)[:, None, None, None]
    return tuple(v * x + (1.0 - v) * jnp.roll(x, -1, axis=0) for x in (lr, hr))  # pyright: ignore


def cutblur(keys: jax.Array, use: jax.Array, lr: jax.Array, hr: jax.Array) -> jax.Array:
    """LR with a rectangle that is as sharp as HR allows, or with all but that rectangle sharp.

    The paper's networks take LR at the size of HR, and HR itself is pasted. Networks take LR at
    its own size here, so that HR is first shrunk by clean bicubic: a network learns not to
    sharpen, deblur or denoise where nothing is wrong. Under bicubic LR it changes nothing.

    Args:
      keys, use: [N].
      lr: [N, h, w, C].
      hr: [N, H, W, C], a whole number of times larger.
    """
    sharp = imresize(hr, lr.shape[1] / hr.shape[1], edge="replicate")
    mask = jax.vmap(lambda key: _rectangle(key, lr.shape[1], lr.shape[2]))(keys)
    return jnp.where(mask[..., None] & use[:, None, None, None], sharp, lr)


def _rectangle(key: jax.Array, h: int, w: int) -> jax.Array:
    """bool [h, w]: a rectangle at a random place, or, half the time, all the rest."""
    size_key, top_key, left_key, side_key = jax.random.split(key, 4)
    ratio = jnp.clip(_RATIO + _SPREAD * jax.random.normal(size_key), 0.0, 1.0)
    inside = jnp.ones((h, w), bool)
    for axis, (n, place) in enumerate(((h, top_key), (w, left_key))):
        side = jnp.floor(n * ratio).astype(jnp.int32)
        first = jax.random.randint(place, (), 0, n - side + 1)
        at = jnp.arange(n).reshape(-1, 1) if axis == 0 else jnp.arange(n).reshape(1, -1)
        inside &= (at >= first) & (at < first + side)
    return inside ^ jax.random.bernoulli(side_key)
