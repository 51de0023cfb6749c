"""A set of images in the memory of the accelerator, and patches cut there.

The images lie side by side on the shelves of one array, so that one program cuts from any of
them. Crops are drawn on the host (a few numbers per patch); the pixels never move again.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.data.batches import Batch, Crops, Pixels, Plan


class Atlas(NamedTuple):
    """Images in one array, a pytree.

    Attributes:
      pixels: uint8 [rows, columns, 3].
      corner: int32 [images, 2], row and column of the top-left pixel of each.
    """

    pixels: np.ndarray | jax.Array
    corner: np.ndarray | jax.Array


class Resident(NamedTuple):
    """The images of a plan: HR, and LR with the number of each one's HR image, or None."""

    hr: Atlas
    lr: Atlas | None
    hr_of: np.ndarray | jax.Array | None


def pack(images: Pixels) -> Atlas:
    """Copies uint8 [H, W, 3] images into one array on the host, tall ones first, shelf by shelf."""
    shapes = [images[i].shape[:2] for i in range(len(images))]
    columns = max(w for _, w in shapes)
    corner = np.zeros((len(shapes), 2), np.int32)
    row = column = shelf = 0
    for i in sorted(range(len(shapes)), key=lambda i: -shapes[i][0]):
        h, w = shapes[i]
        if column + w > columns:
            row, column, shelf = row + shelf, 0, 0
        corner[i] = row, column
        column, shelf = column + w, max(shelf, h)
    pixels = np.zeros((row + shelf, columns, 3), np.uint8)
    for i, (top, left) in enumerate(corner.tolist()):
        h, w = shapes[i]
        pixels[top : top + h, left : left + w] = images[i]
    return Atlas(pixels, corner)


def resident(plan: Plan) -> Resident:
    """The plan's images, packed; `jax.device_put` it where it is to stay."""
    if plan.lr is None:
        return Resident(pack(plan.hr), None, None)
    return Resident(pack(plan.hr), pack(plan.lr), np.asarray(plan.hr_of, np.int32))


def cut_on_device(images: Resident, crops: Crops, patch: int, scale: int = 1) -> Batch:
    """The same as `jaxsr.data.batches.cut`, in a compiled program.

    Args:
      patch: side of an HR patch, pixels, static.
      scale: HR size over LR size where there are LR images.
    """
    image, top, left, turn = (
        jnp.asarray(x) for x in (crops.image, crops.top, crops.left, crops.turn)
    )
    if images.lr is None or images.hr_of is None:
        return Batch(crops.record, _cut(images.hr, image, top, left, turn, patch))
    small = patch // scale
    lr = _cut(images.lr, image, top // scale, left // scale, turn, small)
    hr = _cut(images.hr, jnp.asarray(images.hr_of)[image], top, left, turn, patch)
    return Batch(crops.record, hr, lr)


def _cut(
    atlas: Atlas,
    image: jax.Array,
    top: jax.Array,
    left: jax.Array,
    turn: jax.Array,
    side: int,
) -> jax.Array:
    """uint8 [N, side, side, 3]; all arguments but the atlas and the side are [N]."""
    pixels, corner = jnp.asarray(atlas.pixels), jnp.asarray(atlas.corner)

    def one(image: jax.Array, top: jax.Array, left: jax.Array, turn: jax.Array) -> jax.Array:
        row, column = corner[image, 0] + top, corner[image, 1] + left
        x = jax.lax.dynamic_slice(pixels, (row, column, 0), (side, side, 3))
        x = jnp.where(turn & 1, x[::-1], x)
        x = jnp.where(turn & 2, x[:, ::-1], x)
        return jnp.where(turn & 4, x.transpose(1, 0, 2), x)

    return jax.vmap(one)(image, top, left, turn)
