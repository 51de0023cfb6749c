"""What the registry knows of a model beside its code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flax import linen as nn

# Test set -> (PSNR in dB, SSIM or None) as the literature prints them.
Scores = Mapping[str, tuple[float, float | None]]


@dataclass(frozen=True)
class Card:
    """One model of `jaxsr models`.

    Attributes:
      build: `build(scale=..., **fields)` makes the module.
      title, year, url: the paper; what was in use before it was printed has no year.
      upsampling: where the network enlarges and how: "before: bicubic"; "end: sub-pixel",
        "end: transposed conv" or "end: nearest + conv"; "progressive: transposed conv";
        "back-projection" (up and down in turn); "interpolation".
      scales: the scales that the paper has; () if any integer from 1 will do.
      recipe: how the paper trains it, in a sentence or two.
      published: the scores of the literature by scale, on luma (papers that only print others
        say so in `note`).
      note: how to read the counts or the scores, where it is not obvious.
    """

    build: Callable[..., nn.Module]
    title: str
    year: int | None
    url: str
    upsampling: str
    scales: tuple[int, ...]
    recipe: str = ""
    published: Mapping[int, Scores] = field(default_factory=dict)
    note: str = ""
    needs_weights: bool = True
