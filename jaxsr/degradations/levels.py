"""Steps that keep the size: noise, JPEG, sharpening, clipping, rounding."""

from dataclasses import dataclass, field
from typing import Any

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
    integer,
    name_of,
    pick,
    probability_problems,
    range_problems,
    sometimes,
    unit,
    weight_problems,
)
from jaxsr.image.colour import to_float, to_uint8
from jaxsr.image.filters import unsharp_mask
from jaxsr.image.jpeg import jpeg
from jaxsr.image.noise import correlated_noise, gaussian_noise, poisson_noise, speckle_noise

_KINDS = ("gaussian", "poisson", "speckle", "correlated")


@dataclass(frozen=True)
class Noise(Step):
    """Random noise of a random strength; the result is not clipped.

    Attributes:
      kinds: "gaussian"; "poisson"; "speckle" (Gaussian times the picture); "correlated", whose
        channels have the covariance |U' D U| * peak^2 of BSRGAN: D a diagonal of numbers in
        [0, 1], U a random rotation, peak the upper end of `sigma`. U is uniformly distributed
        (BSRGAN's code takes an orthonormal basis of three random positive vectors, which treats
        the channels unequally). A gray picture gets the first channel's.
      sigma: standard deviation in gray levels of 255.
      integer: sigma is a whole number.
      scale: of Poisson noise, as in Real-ESRGAN.
      gray: the probability that all channels get the same noise.
      p: the probability of the step.
    """

    kinds: Weights = field(default_factory=lambda: {"gaussian": 1.0})
    sigma: Range = (0.0, 0.0)
    integer: bool = False
    scale: Range = (1.0, 1.0)
    gray: float = 0.0
    p: float = 1.0

    def words(self) -> int:
        return 13

    def draw(self, words: jax.Array) -> Drawn:
        u = unit(words)
        sigma = integer(u[2], self.sigma) if self.integer else between(u[2], self.sigma)
        drawn = {
            "on": u[0] < self.p,
            "kind": pick(u[1], self.kinds),
            "sigma": sigma.astype(jnp.float32),
            "scale": between(u[3], self.scale),
            "gray": u[4] < self.gray,
            "key": jax.random.wrap_key_data(words[5:7], impl="threefry2x32"),
        }
        if "correlated" in self.kinds:
            rotation = _rotation(u[7:10])
            scaled = u[10:13, None] * rotation  # D U
            mixed = jnp.matmul(rotation.T, scaled, precision=jax.lax.Precision.HIGHEST)
            drawn["covariance"] = jnp.abs(mixed) * (self.sigma[1] / 255) ** 2
        return drawn

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del lr
        key, gray, sigma = drawn["key"], drawn["gray"], drawn["sigma"] / 255

        def correlated(x: jax.Array) -> jax.Array:
            if x.shape[-1] == 1:
                return gaussian_noise(key, x, jnp.sqrt(drawn["covariance"][0, 0]))
            return correlated_noise(key, x, drawn["covariance"])

        makers: dict[str, Any] = {
            "gaussian": lambda x: gaussian_noise(key, x, sigma, gray=gray),
            "speckle": lambda x: speckle_noise(key, x, sigma, gray=gray),
            "poisson": lambda x: poisson_noise(
                key, x, drawn["scale"], gray=gray, size=picture.size
            ),
            "correlated": correlated,
        }
        branches = [makers[name] for name in self.kinds]

        def noisy(x: jax.Array) -> jax.Array:
            return jax.lax.switch(drawn["kind"], branches, x)

        return Picture(sometimes(self.p, drawn["on"], noisy, to_float(picture.x)), picture.size)

    def problems(self) -> list[str]:
        found = weight_problems(self.kinds, "kinds", _KINDS)
        found += range_problems(self.sigma, "sigma", 0, 255) + range_problems(
            self.scale, "scale", 0
        )
        if self.integer:
            found += _whole_problems(self.sigma, "sigma")
        return found + probability_problems(self.gray, "gray") + probability_problems(self.p)

    def describe(self, drawn: Drawn) -> list[str]:
        if not drawn["on"]:
            return []
        kind = name_of(self.kinds, drawn["kind"])
        if kind == "correlated":
            levels = 255 * jnp.sqrt(jnp.diagonal(drawn["covariance"]))
            return ["noise correlated " + " ".join(f"{s:.1f}" for s in levels)]
        strength = f"x{drawn['scale']:.2f}" if kind == "poisson" else f"{drawn['sigma']:.1f}"
        return [f"noise {kind} {strength}{' gray' if drawn['gray'] else ''}"]


def _rotation(u: jax.Array) -> jax.Array:
    """A uniformly distributed rotation of three axes, from three numbers in [0, 1): that of a
    uniformly distributed unit quaternion (Shoemake, 1992)."""
    small, large = jnp.sqrt(1 - u[0]), jnp.sqrt(u[0])
    a, b = 2 * jnp.pi * u[1], 2 * jnp.pi * u[2]
    w, x, y, z = small * jnp.sin(a), small * jnp.cos(a), large * jnp.sin(b), large * jnp.cos(b)
    return jnp.stack(
        [
            jnp.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]),
            jnp.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]),
            jnp.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]),
        ]
    )


@dataclass(frozen=True)
class Jpeg(Step):
    """Compression and decompression; the picture is clipped to [0, 1] first.

    Attributes:
      quality: 1 to 100.
      integer: the quality is a whole number, as files have it.
      p: the probability of the step.
    """

    quality: Range = (30.0, 95.0)
    integer: bool = False
    p: float = 1.0

    def words(self) -> int:
        return 2

    def draw(self, words: jax.Array) -> Drawn:
        u = unit(words)
        quality = integer(u[1], self.quality) if self.integer else between(u[1], self.quality)
        return {"on": u[0] < self.p, "quality": quality.astype(jnp.float32)}

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del lr
        x = sometimes(
            self.p,
            drawn["on"],
            lambda x: jpeg(jnp.clip(x, 0, 1), drawn["quality"], size=picture.size),
            to_float(picture.x),
        )
        return Picture(x, picture.size)

    def problems(self) -> list[str]:
        found = range_problems(self.quality, "quality", 1, 100)
        if self.integer:
            found += _whole_problems(self.quality, "quality")
        return found + probability_problems(self.p)

    def describe(self, drawn: Drawn) -> list[str]:
        return [f"jpeg {drawn['quality']:.1f}"] if drawn["on"] else []


@dataclass(frozen=True)
class Sharpen(Step):
    """Unsharp masking where the detail is larger than a threshold (`unsharp_mask`).

    Attributes:
      weight: of the detail that is added.
      radius: of the blur, in pixels.
      threshold: in gray levels of 255.
    """

    weight: float = 0.5
    radius: int = 50
    threshold: float = 10.0

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del drawn, lr
        x = unsharp_mask(
            to_float(picture.x),
            weight=self.weight,
            radius=self.radius,
            threshold=self.threshold,
            size=picture.size,
        )
        return Picture(x, picture.size)

    def problems(self) -> list[str]:
        if not 1 <= self.radius <= 127 or self.weight < 0 or self.threshold < 0:
            return ["radius must be 1 to 127, weight and threshold at least 0"]
        return []


@dataclass(frozen=True)
class Clip(Step):
    """To [0, 1]."""

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del drawn, lr
        return Picture(jnp.clip(to_float(picture.x), 0, 1), picture.size)

    def describe(self, drawn: Drawn) -> list[str]:
        del drawn
        return []


@dataclass(frozen=True)
class Round(Step):
    """To the 256 levels of an 8-bit file, clipped."""

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del drawn, lr
        return Picture(to_float(to_uint8(picture.x)), picture.size)

    def describe(self, drawn: Drawn) -> list[str]:
        del drawn
        return []


def _whole_problems(span: Range, name: str) -> list[str]:
    if any(n != int(n) for n in span):
        return [f"{name} must be whole numbers, got {span}"]
    return []
