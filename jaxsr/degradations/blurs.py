"""Steps that blur: by random kernels of known form, or by given ones."""

import math
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

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
from jaxsr.image import psf
from jaxsr.image.canvas import EDGES
from jaxsr.image.colour import to_float
from jaxsr.image.filters import blur

Kernels = tuple[tuple[tuple[float, ...], ...], ...]
_FORMS = ("gaussian", "generalized", "plateau", "sinc")
# kind -> (form, whether both axes are the same)
_KINDS = {
    "iso": ("gaussian", True),
    "aniso": ("gaussian", False),
    "generalized_iso": ("generalized", True),
    "generalized_aniso": ("generalized", False),
    "plateau_iso": ("plateau", True),
    "plateau_aniso": ("plateau", False),
    "sinc": ("sinc", True),
}


@dataclass(frozen=True)
class Blur(Step):
    """A random kernel: Gaussian, generalised Gaussian, plateau-shaped, or a sinc low-pass.

    Attributes:
      kinds: "iso", "aniso" (Gaussians), "generalized_iso", "generalized_aniso", "plateau_iso",
        "plateau_aniso", "sinc".
      size: side of the kernel in pixels, one of the odd numbers in the range.
      sigma: standard deviation in pixels; of an anisotropic kernel, those of both axes,
        independently, unless one of the next two says otherwise.
      sigma_y: standard deviation of an anisotropic kernel's second axis.
      variance: variances in px^2 of the axes of an anisotropic kernel, instead of sigmas.
      descending: the variance of the second axis is drawn from (low, that of the first).
      theta: angle of the first axis, in radians.
      beta_generalized, beta_plateau: shape exponent; half of the draws lie below 1.
      omega, omega_wide: cut-off of a sinc, in radians a pixel, of sizes below 13 and from 13 on.
      shift: pixels by which the kernel is moved down and right, each drawn on its own.
      edge: how the picture goes on beyond its border.
      p: the probability of the step.
    """

    kinds: Weights = field(default_factory=lambda: {"iso": 1.0})
    size: Range = (21, 21)
    sigma: Range = (0.2, 3.0)
    sigma_y: Range | None = None
    variance: Range | None = None
    descending: bool = False
    theta: Range = (-math.pi, math.pi)
    beta_generalized: Range = (0.5, 4.0)
    beta_plateau: Range = (1.0, 2.0)
    omega: Range = (math.pi / 3, math.pi)
    omega_wide: Range = (math.pi / 5, math.pi)
    shift: Range = (0.0, 0.0)
    edge: str = "reflect"
    p: float = 1.0

    def words(self) -> int:
        return 10

    def draw(self, words: jax.Array) -> Drawn:
        u = unit(words)
        kind = pick(u[1], self.kinds)
        same = jnp.asarray([_KINDS[name][1] for name in self.kinds])[kind]
        size = integer(u[2], self.size, 2)
        sigma = between(u[3], self.sigma)
        if self.variance is None:
            x, y = sigma, between(u[4], self.sigma if self.sigma_y is None else self.sigma_y)
        else:
            low, high = self.variance
            first = between(u[3], (low, high))
            second = low + ((first if self.descending else high) - low) * u[4]
            x, y = jnp.sqrt(first), jnp.sqrt(second)
        wide = size >= 13
        return {
            "on": u[0] < self.p,
            "kind": kind,
            "size": size,
            "sigma_x": jnp.where(same, sigma, x),
            "sigma_y": jnp.where(same, sigma, y),
            "theta": jnp.where(same, 0.0, between(u[5], self.theta)),
            "beta_generalized": _beta(u[6], self.beta_generalized),
            "beta_plateau": _beta(u[6], self.beta_plateau),
            "omega": jnp.where(wide, between(u[7], self.omega_wide), between(u[7], self.omega)),
            "dy": between(u[8], self.shift),
            "dx": between(u[9], self.shift),
        }

    def kernel(self, drawn: Drawn) -> jax.Array:
        """[size, size], the largest size, from what was drawn."""
        n, support = int(self.size[1]), drawn["size"]
        axes = drawn["sigma_x"], drawn["sigma_y"], drawn["theta"]
        makers = {
            "gaussian": lambda: psf.gaussian(n, *axes, support=support),
            "generalized": lambda: psf.generalized_gaussian(
                n, *axes, drawn["beta_generalized"], support=support
            ),
            "plateau": lambda: psf.plateau(n, *axes, drawn["beta_plateau"], support=support),
            "sinc": lambda: psf.sinc(n, drawn["omega"], support=support),
        }
        forms = [_KINDS[name][0] for name in self.kinds]
        form = jnp.asarray([_FORMS.index(name) for name in forms])[drawn["kind"]]
        kernel = makers[forms[0]]()
        for name in set(forms[1:]) - {forms[0]}:
            kernel = jnp.where(form == _FORMS.index(name), makers[name](), kernel)
        if self.shift != (0, 0):
            kernel = psf.shifted(kernel, drawn["dy"], drawn["dx"])
        return kernel

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del lr
        x = sometimes(
            self.p,
            drawn["on"],
            lambda x: blur(x, self.kernel(drawn), edge=self.edge, size=picture.size),
            to_float(picture.x),
        )
        return Picture(x, picture.size)

    def problems(self) -> list[str]:
        found = weight_problems(self.kinds, "kinds", tuple(_KINDS))
        found += _size_problems(self.size) + range_problems(self.sigma, "sigma", 0, above=True)
        for name in ("sigma_y", "variance"):
            if (span := getattr(self, name)) is not None:
                found += range_problems(span, name, 0)
        found += range_problems(self.theta, "theta", -2 * math.pi, 2 * math.pi)
        for name in ("beta_generalized", "beta_plateau"):
            found += range_problems(getattr(self, name), name, 0, above=True)
        for name in ("omega", "omega_wide"):
            found += range_problems(getattr(self, name), name, 0, math.pi, above=True)
        reach = (self.size[1] - 1) / 2
        found += range_problems(self.shift, "shift", -reach, reach)
        if self.sigma_y is not None and self.variance is not None:
            found += ["give sigma_y or variance, not both"]
        if self.descending and self.variance is None:
            found += ["descending needs variance"]
        return found + _edge_problems(self.edge) + probability_problems(self.p)

    def describe(self, drawn: Drawn) -> list[str]:
        if not drawn["on"]:
            return []
        kind = name_of(self.kinds, drawn["kind"])
        text = f"blur {kind} {drawn['size']}x{drawn['size']}"
        form, same = _KINDS[kind]
        if form == "sinc":
            text += f" omega {drawn['omega']:.2f}"
        else:
            text += f" sigma {drawn['sigma_x']:.2f}"
            if not same:
                text += f" {drawn['sigma_y']:.2f} angle {math.degrees(drawn['theta']):.0f}"
            if form != "gaussian":
                text += f" beta {drawn[f'beta_{form}']:.2f}"
        if self.shift != (0, 0):
            text += f" shift {drawn['dy']:.2f} {drawn['dx']:.2f}"
        return [text]


@dataclass(frozen=True)
class Kernel(Step):
    """Convolution with one of the given kernels, so that a point of light becomes the kernel.

    Attributes:
      kernels: rows of numbers; each is divided by its sum. One of even size is centred on the
        pixel after its middle (as symmetric ones are in MATLAB), and the smaller ones of several
        are surrounded by zeros. One is drawn for every image.
      file: where to read them from instead: .npy, .npz, .mat, .json or a picture.
      edge: how the picture goes on beyond its border.
    """

    kernels: Kernels = ()
    file: str = ""
    edge: str = "replicate"

    def words(self) -> int:
        return 1

    def draw(self, words: jax.Array) -> Drawn:
        return {"kernel": pick(unit(words[0]), (1.0,) * len(self.kernels))}

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        del lr
        flipped = _stack(self.kernels)[:, ::-1, ::-1]  # `blur` correlates
        kernel = jnp.asarray(flipped, jnp.float32)[drawn["kernel"]]
        x = blur(to_float(picture.x), kernel, edge=self.edge, size=picture.size)
        return Picture(x, picture.size)

    def problems(self) -> list[str]:
        if not self.kernels:
            return ["give kernels or a file of them"]
        for i, rows in enumerate(self.kernels):
            where = f"kernel {i + 1} of {len(self.kernels)}"
            if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
                return [f"{where} is no rectangle of numbers"]
            if max(len(rows), len(rows[0])) > 127:
                return [f"{where} is larger than 127x127"]
            total = sum(map(sum, rows))
            if not (math.isfinite(total) and total > 0):
                return [f"{where} sums up to {total}; it must be finite and above 0"]
        return _edge_problems(self.edge)

    def describe(self, drawn: Drawn) -> list[str]:
        return [f"kernel {drawn['kernel'] + 1} of {len(self.kernels)}"]


def _stack(kernels: Kernels) -> np.ndarray:
    """[n, k, k] with odd k: every kernel normalised and in the middle."""
    arrays = [np.asarray(rows, np.float64) for rows in kernels]
    side = max(max(a.shape) // 2 * 2 + 1 for a in arrays)
    stack = np.zeros((len(arrays), side, side))
    for out, a in zip(stack, arrays, strict=True):
        top, left = (side // 2 - n // 2 for n in a.shape)
        out[top : top + a.shape[0], left : left + a.shape[1]] = a / a.sum()
    return stack


def _beta(u: jax.Array, span: Range) -> jax.Array:
    """As likely below 1 as above; a range that ends at 1 gives 1 for its half of the draws."""
    low, high = span
    below = between(2 * u, (low, min(max(low, 1.0), high)))
    above = between(2 * u - 1, (max(min(1.0, high), low), high))
    return jnp.where(u < 0.5, below, above)


def _size_problems(size: Range) -> list[str]:
    if any(n != int(n) or int(n) % 2 == 0 for n in size):
        return [f"size must be odd whole numbers, got {size}"]
    return range_problems(size, "size", 1, 127)


def _edge_problems(edge: str) -> list[str]:
    return [] if edge in EDGES else [f"edge must be one of {', '.join(EDGES)}, got '{edge}'"]
