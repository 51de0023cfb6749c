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
      title, year, url: the paper.
      upsampling: where and how the network enlarges.
      scales: the scales that the paper has.
    """

    build: Callable[..., nn.Module]
    title: str
    year: int
    url: str
    upsampling: Literal["interpolation", "before: bicubic", "end: sub-pixel"]
    scales: tuple[int, ...]
    needs_weights: bool = True
