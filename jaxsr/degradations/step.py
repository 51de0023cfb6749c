"""What every step of a degradation is: its fields are data, its work two pure functions.

`draw(words)` draws what is random, `apply(drawn, picture, lr)` does the step. So what was drawn
can be shown, and one image of a batch knows nothing of the others. Random words, rather than a key
for each step, because a program that splits many keys takes long to compile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.image.canvas import Size

Range = tuple[float, float]  # (low, high), drawn from uniformly
Weights = dict[str, float]  # name -> weight of being chosen; they need not sum to 1
Shape = tuple[int, int]  # (height, width), static
Drawn = Any  # a pytree of arrays


class Picture(NamedTuple):
    """A picture on its way from HR to LR.

    Attributes:
      x: [H, W, C]; uint8 until the first step that is not a whole number of gray levels, then
        float32 in [0, 1].
      size: of the picture in the top-left corner of x; None: all of it.
    """

    x: jax.Array
    size: Size | None = None


@dataclass(frozen=True)
class Step:
    """One operator of a degradation; see the subclasses for its fields."""

    def words(self) -> int:
        """How many random words `draw` takes."""
        return 0

    def draw(self, words: jax.Array) -> Drawn:
        """The random parameters of one image, a pytree of arrays, from [words()] uint32."""
        del words
        return {}

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        """The step itself; `lr` is the shape that the whole degradation ends at."""
        raise NotImplementedError

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        """The array that holds the largest result of a picture of at most `shape`."""
        del lr
        return shape

    def lands(self) -> bool | None:
        """Whether the result has the shape of LR; None if the step does not resize."""
        return None

    def problems(self) -> list[str]:
        """What is wrong with the fields, one line each."""
        return []

    def describe(self, drawn: Drawn) -> list[str]:
        """What was drawn (numbers, not traced), in a line or some; none if nothing was done."""
        del drawn
        return [type(self).__name__.lower()]


def unit(words: jax.Array) -> jax.Array:
    """Random words as numbers in [0, 1), float32."""
    return (words >> 9).astype(jnp.float32) * 2.0**-23


def between(u: jax.Array, span: Range) -> jax.Array:
    """u in [0, 1) as a number of the range."""
    return span[0] + (span[1] - span[0]) * u


def integer(u: jax.Array, span: Range, stride: int = 1) -> jax.Array:
    """u in [0, 1) as one of low, low + stride, ... high; int32."""
    low, high = int(span[0]), int(span[1])
    return low + stride * jnp.floor(u * ((high - low) // stride + 1)).astype(jnp.int32)


def pick(u: jax.Array, weights: Mapping[str, float] | tuple[float, ...]) -> jax.Array:
    """u in [0, 1) as the index of one of the weights, each as likely as its weight; int32."""
    values = np.asarray(list(weights.values() if isinstance(weights, Mapping) else weights))
    edges = jnp.asarray(np.cumsum(values)[:-1] / values.sum(), jnp.float32)
    return jnp.sum(u >= edges, dtype=jnp.int32)


def sometimes(
    p: float, on: jax.Array, function: Callable[[jax.Array], jax.Array], x: jax.Array
) -> jax.Array:
    """`function(x)` if `on`, else x; without a branch where it is certain."""
    return function(x) if p == 1 else jax.lax.cond(on, function, lambda x: x, x)


def range_problems(
    span: Range, name: str, low: float, high: float = float("inf"), *, above: bool = False
) -> list[str]:
    """A range must ascend and lie within [low, high], or, with `above`, in (low, high]."""
    if not span[0] <= span[1]:
        return [f"{name} must be (low, high), got {span}"]
    if span[0] < low or (above and span[0] == low) or span[1] > high:
        limits = f"above {low}" if above else f"at least {low}"
        limits += "" if high == float("inf") else f" and at most {high}"
        return [f"{name} must be {limits}, got {span}"]
    return []


def weight_problems(weights: Weights, name: str, known: tuple[str, ...]) -> list[str]:
    """Weights name known things, are not negative and not all zero."""
    from jaxsr.errors import nearest

    for choice in weights:
        if choice not in known:
            return [f"{name} has no '{choice}'{nearest(choice, known)}"]
    return total_problems(list(weights.values()), f"the weights of {name}")


def total_problems(weights: list[float], name: str) -> list[str]:
    """Weights are not negative, finite, and at least one is positive."""
    if not all(0 <= w < float("inf") for w in weights) or not sum(weights) > 0:
        return [f"{name} must be 0 or more and not all 0, got {weights}"]
    return []


def probability_problems(p: float, name: str = "p") -> list[str]:
    return [] if 0 <= p <= 1 else [f"{name} is a probability, 0 to 1, got {p}"]


def name_of(weights: Mapping[str, float], index: Any) -> str:
    """The name behind an index of `pick`."""
    return list(weights)[int(index)]
