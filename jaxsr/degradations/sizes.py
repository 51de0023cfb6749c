"""Steps that resize: at random, or to the shape of LR."""

import math
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp

from jaxsr.degradations.step import (
    Drawn,
    Picture,
    Range,
    Shape,
    Step,
    Weights,
    between,
    name_of,
    pick,
    range_problems,
    unit,
    weight_problems,
)
from jaxsr.image.canvas import size_of
from jaxsr.image.colour import to_float
from jaxsr.image.resample import MODES, resample
from jaxsr.image.resize import imresize

_DIRECTIONS = ("up", "down", "keep")


@dataclass(frozen=True)
class Resize(Step):
    """Resizing by a random factor; heights and widths are truncated.

    Attributes:
      directions: "up", "down", "keep" (factor 1).
      up, down: factors.
      relative: what they multiply: "picture", or "lr", the shape that all ends at.
      reduction: 1/factor, rather than the factor, is drawn uniformly; and the picture's borders
        are mapped onto each other exactly, as where a size was asked for. Otherwise factors of
        the picture map coordinates themselves, as PyTorch's do.
      modes: see `jaxsr.image.resample`.
    """

    directions: Weights = field(default_factory=lambda: {"down": 1.0})
    up: Range = (1.0, 1.0)
    down: Range = (1.0, 1.0)
    relative: str = "picture"
    reduction: bool = False
    modes: Weights = field(default_factory=lambda: {"bilinear": 1.0})

    def words(self) -> int:
        return 3

    def draw(self, words: jax.Array) -> Drawn:
        u = unit(words)
        factors = []
        for name in self.directions:
            low, high = self._span(name)
            factor = 1 / between(u[1], (1 / high, 1 / low)) if self.reduction else None
            factors.append(between(u[1], (low, high)) if factor is None else factor)
        return {
            "factor": jnp.stack(factors)[pick(u[0], self.directions)],
            "mode": pick(u[2], self.modes),
        }

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        factor = drawn["factor"]
        of_lr = self.relative == "lr"
        shape = self.canvas((picture.x.shape[0], picture.x.shape[1]), lr)
        whole = lr if of_lr else size_of(picture.x, picture.size)
        h, w = (  # float32 may round a product up to the next whole number
            jnp.clip(jnp.floor(n * factor), 1, most).astype(jnp.int32)
            for n, most in zip(whole, shape, strict=True)
        )
        x = resample(
            to_float(picture.x),
            shape,
            (tuple(self.modes), drawn["mode"]),
            size=picture.size,
            out_size=(h, w),
            scale=None if of_lr or self.reduction else factor,
        )
        return Picture(x, (h, w))

    def _span(self, direction: str) -> Range:
        return {"up": self.up, "down": self.down, "keep": (1.0, 1.0)}[direction]

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        largest = max(self._span(name)[1] for name in self.directions)
        h, w = lr if self.relative == "lr" else shape
        return max(1, math.floor(h * largest)), max(1, math.floor(w * largest))

    def lands(self) -> bool | None:
        return False

    def problems(self) -> list[str]:
        found = weight_problems(self.directions, "directions", _DIRECTIONS)
        found += weight_problems(self.modes, "modes", tuple(MODES))
        found += range_problems(self.up, "up", 1, 8)
        found += range_problems(self.down, "down", 0, 1, above=True)
        if self.relative not in ("picture", "lr"):
            found += [f"relative must be picture or lr, got '{self.relative}'"]
        return found

    def describe(self, drawn: Drawn) -> list[str]:
        of = " of LR" if self.relative == "lr" else ""
        return [f"resize x{drawn['factor']:.2f}{of} {name_of(self.modes, drawn['mode'])}"]


@dataclass(frozen=True)
class Downsample(Step):
    """Resizing to the shape of LR.

    A picture that is still uint8 is reduced by "bicubic" in whole gray levels, as MATLAB does.

    Attributes:
      modes: see `jaxsr.image.resample`; "bicubic" is MATLAB's, antialiased.
      edge: how "bicubic" continues the picture: "symmetric", or "replicate" as older MATLAB.
    """

    modes: Weights = field(default_factory=lambda: {"bicubic": 1.0})
    edge: str = "symmetric"

    def words(self) -> int:
        return 1

    def draw(self, words: jax.Array) -> Drawn:
        return {"mode": pick(unit(words[0]), self.modes)}

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        if picture.size is None and tuple(self.modes) == ("bicubic",):
            return Picture(imresize(picture.x, shape=lr, edge=self.edge))
        mode = (tuple(self.modes), drawn["mode"])
        x = to_float(picture.x)
        return Picture(resample(x, lr, mode, size=picture.size, edge=self.edge))

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        del shape
        return lr

    def lands(self) -> bool | None:
        return True

    def problems(self) -> list[str]:
        found = weight_problems(self.modes, "modes", tuple(MODES))
        if self.edge not in ("symmetric", "replicate"):
            found += [f"edge must be symmetric or replicate, got '{self.edge}'"]
        return found

    def describe(self, drawn: Drawn) -> list[str]:
        return [f"downsample {name_of(self.modes, drawn['mode'])}"]


@dataclass(frozen=True)
class Decimate(Step):
    """Every n-th pixel, n = size / size of LR.

    Attributes:
      aligned: take the pixel at the centre of its n x n cell, the upper left of the four for an
        even n, as RDN's and RCAN's data are made, rather than the cell's first, as KAIR does.
    """

    aligned: bool = True

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del drawn
        x = picture.x
        for axis, n in enumerate(size_of(x, picture.size)):
            step = jnp.asarray(n, jnp.int32) // lr[axis]
            first = (step - 1) // 2 if self.aligned else 0
            x = jnp.take(x, first + step * jnp.arange(lr[axis]), axis=axis, mode="clip")
        return Picture(x)

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        del shape
        return lr

    def lands(self) -> bool | None:
        return True
