"""Keys for the degradation of files."""

import zlib
from pathlib import PurePath

import jax


def image_key(seed: int, name: str) -> jax.Array:
    """The key of an image file: of the seed and the file's name without folder and extension, so
    that its LR does not depend on what else is degraded."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(PurePath(name).stem.encode()))
