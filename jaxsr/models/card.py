"""What the registry knows of a model beside its code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flax import linen as nn


@dataclass(frozen=True)
class Card:
    """One line of `jaxsr models`.

    Attributes:
      build: `build(scale=..., **fields)` makes the module.
      title, year, url: the paper; what was in use before it was printed has no year.
      upsampling: where and how the network enlarges.
      scales: the scales that the paper has; () if any integer from 1 will do.
    """

    build: Callable[..., nn.Module]
    title: str
    year: int | None
    url: str
    upsampling: Literal["interpolation", "before: bicubic", "end: sub-pixel"]
    scales: tuple[int, ...]
    needs_weights: bool = True
