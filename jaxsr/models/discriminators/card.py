"""What the registry knows of a discriminator beside its code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flax import linen as nn


@dataclass(frozen=True)
class Card:
    """One discriminator.

    Attributes:
      build: `build(**fields)` makes the module.
      title, year, url: the paper whose discriminator it is, or was first.
      judges: what it takes: RGB "images" in [0, 1], or "features" of a fixed network.
      sides: the sides of those that it takes, in pixels. "any" are fixed by the first input
        where it ends in dense layers.
    """

    build: Callable[..., nn.Module]
    title: str
    year: int
    url: str
    judges: Literal["images", "features"] = "images"
    sides: str = "any"
