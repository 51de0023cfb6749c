"""A picture of traced size in the corner of a larger array.

Programs of XLA have fixed shapes, but a random resize gives every image of a batch a size of its
own. So the operators of random degradations take `size`: the (height, width) of the picture in
the top-left corner of `x`, ints or int32 scalars; what lies beyond it is ignored, and arbitrary in
the result. None means that the picture fills the array.
"""

import jax
import jax.numpy as jnp

# (height, width), each an int or a traced int32 scalar
Size = tuple[int | jax.Array, int | jax.Array]
EDGES = ("reflect", "symmetric", "replicate", "wrap")


def size_of(x: jax.Array, size: Size | None) -> Size:
    """`size`, or height and width of x [H, W, C]."""
    return (x.shape[0], x.shape[1]) if size is None else size


def source_index(at: jax.Array, n: int | jax.Array, edge: str) -> jax.Array:
    """Where the pixels at positions `at` (any integers) of an axis of n pixels come from.

    Args:
      edge: "reflect" (d c b | a b c d | c b a), "symmetric" (c b a | a b c d | d c b),
        "replicate" (a a a | a b c d | d d d) or "wrap" (b c d | a b c d | a b c).

    Raises:
      ValueError: for another edge.
    """
    n = jnp.asarray(n, at.dtype)
    if edge == "replicate":
        return jnp.clip(at, 0, n - 1)
    if edge == "wrap":
        return jnp.mod(at, n)
    if edge == "symmetric":
        folded = jnp.mod(at, 2 * n)
        return jnp.minimum(folded, 2 * n - 1 - folded)
    if edge == "reflect":
        period = jnp.maximum(2 * n - 2, 1)  # a single pixel repeats
        folded = jnp.mod(at, period)
        return jnp.minimum(folded, period - folded)
    raise ValueError(f"edge must be one of {EDGES}, got {edge!r}")


def extend(
    x: jax.Array,
    margin: int | tuple[tuple[int, int], tuple[int, int]],
    edge: str,
    size: Size | None = None,
) -> jax.Array:
    """Continues the picture in x [H, W, C] beyond its borders.

    Args:
      margin: pixels on all four sides, or ((top, bottom), (left, right)), counted from the array.
      edge: see `source_index`.
      size: of the picture, if it is smaller than x; the array's rest is then filled, too.

    Returns:
      [top + H + bottom, left + W + right, C].
    """
    margins = ((margin, margin), (margin, margin)) if isinstance(margin, int) else margin
    for axis, (n, (before, after)) in enumerate(zip(size_of(x, size), margins, strict=True)):
        at = jnp.arange(-before, x.shape[axis] + after, dtype=jnp.int32)
        x = jnp.take(x, source_index(at, n, edge), axis=axis, mode="clip")
    return x
