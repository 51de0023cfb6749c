"""The degradations of the literature, by name, with their published numbers, as plain data."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Steps = list[dict[str, Any]]


@dataclass(frozen=True)
class Preset:
    """A line on what it is, and its steps for a scale."""

    line: str
    steps: Callable[[int], Steps]


def bicubic(scale: int, edge: str = "replicate") -> Steps:
    """MATLAB's antialiased `imresize` ("BI")."""
    del scale
    return [{"op": "downsample", "edge": edge}]


def bd(scale: int) -> Steps:
    """Blur and decimation ("BD") of RDN and RCAN: a Gaussian of 1.6, rounded, every n-th pixel.

    Tables print x3, with 7x7 pixels; other scales follow the general rule of the same scripts.
    An even kernel looks half a pixel down and right, as decimation by an even number asks for.
    """
    sigma = 1.6
    n = 7 if scale == 3 else 2 * math.ceil(3 * sigma) + (1 if scale % 2 else 2)
    at = np.arange(n) - (n - 1) / 2
    line = np.exp(-(at**2) / (2 * sigma**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    return [
        {"op": "kernel", "kernels": [kernel.tolist()], "edge": "replicate"},
        {"op": "round"},
        {"op": "decimate"},
    ]


def dn(scale: int) -> Steps:
    """Bicubic, rounded, white noise of 30 levels, rounded: "DN" of RDN and RCAN, printed for x3."""
    return [
        *bicubic(scale),
        {"op": "round"},
        {"op": "noise", "kinds": {"gaussian": 1.0}, "sigma": [30, 30]},
        {"op": "round"},
    ]


def srmd(scale: int) -> Steps:
    """SRMD's training data: Gaussian blur, bicubic, rounded, noise up to 75 levels.

    Widths of isotropic kernels up to the scale; axes of anisotropic ones are variances up to 10,
    the range of the published code, which is for x3, at every scale. How the two kinds are mixed
    is not published: half and half here. Float LR is neither clipped nor rounded after the noise.
    """
    return [
        {
            "op": "blur",
            "kinds": {"iso": 0.5, "aniso": 0.5},
            "size": [15, 15],
            "sigma": [0.2, max(scale, 1)],
            "variance": [0.1, 10],
            "descending": True,
            "theta": [0, math.pi],
            "edge": "replicate",
        },
        {"op": "downsample"},
        {"op": "round"},
        {"op": "noise", "sigma": [0, 75]},
    ]


def ntire_unknown(scale: int) -> Steps:
    """Like DIV2K's "unknown" track: one fixed blur and decimation, no noise.

    The organisers' operator is not published: this one is ours, a slanted Gaussian.
    """
    return [
        {
            "op": "blur",
            "kinds": {"aniso": 1.0},
            "size": [8 * ((scale + 1) // 2) + 5] * 2,
            "sigma": [0.5 * scale] * 2,
            "sigma_y": [0.3 * scale] * 2,
            "theta": [math.pi / 6] * 2,
            "shift": [_centre(scale)] * 2,
            "edge": "replicate",
        },
        {"op": "decimate"},
        {"op": "round"},
    ]


def mild(scale: int) -> Steps:
    """Like the "mild" track of NTIRE 2018: motion-like blur, a shift, decimation, Poisson noise.

    The organisers' operators are not published: the numbers are ours, the shift up to one LR
    pixel.
    """
    centre = _centre(scale)
    return [
        {
            "op": "blur",
            "kinds": {"aniso": 1.0},
            "size": [8 * scale + 1] * 2,
            "sigma": [0.5 * scale, 1.0 * scale],
            "sigma_y": [0.2 * scale, 0.4 * scale],
            "theta": [0, math.pi],
            "shift": [centre - scale, centre + scale],
            "edge": "reflect",
        },
        {"op": "decimate"},
        {"op": "noise", "kinds": {"poisson": 1.0}, "scale": [0.2, 1.0]},
        {"op": "round"},
    ]


def _centre(scale: int) -> float:
    """From the pixel that an aligned `decimate` takes to the centre of its cell."""
    return 0.0 if scale % 2 else 0.5


def bsrgan(scale: int) -> Steps:
    """BSRGAN (Zhang et al., 2021): seven operations in random order, then JPEG.

    The camera-noise operation, which the public code never runs, is left out.
    """
    final = {"op": "jpeg", "quality": [30, 95], "integer": True}
    if scale != 4:
        return [_bsrgan_shuffle(scale), final]
    halve = {
        "op": "resize",
        "directions": {"down": 1.0},
        "down": [0.5, 0.5],
        "reduction": True,
        "modes": {"bicubic": 3.0, "bilinear": 1.0, "cubic": 1.0, "area": 1.0},
    }
    halved = [halve, {"op": "clip"}, _bsrgan_shuffle(2)]
    return [_choice((0.25, halved), (0.75, [_bsrgan_shuffle(4)])), final]


def _bsrgan_shuffle(scale: int) -> dict[str, Any]:
    opencv = {"bilinear": 1.0, "cubic": 1.0, "area": 1.0}
    blur = {
        "op": "blur",
        "kinds": {"iso": 0.5, "aniso": 0.5},
        "size": [7, 25],
        "sigma": [0.01, 2 + 0.2 * scale],
        "variance": [0.0001, 4 + scale],
        "theta": [0, math.pi],
    }
    resize = {
        "op": "resize",
        "directions": {"down": 1.0},
        "down": [1 / (2 * scale), 1.0],
        "reduction": True,
        "modes": opencv,
    }
    decimate = [
        blur
        | {
            "kinds": {"iso": 1.0},
            "size": [25, 25],
            "sigma": [0.1, 0.6 * scale],
            "shift": [0.5 * (scale - 1)] * 2,
        },
        {"op": "decimate", "aligned": False},
    ]
    noise = {
        "op": "noise",
        "kinds": {"gaussian": 0.8, "correlated": 0.2},
        "sigma": [2, 25],
        "integer": True,
        "gray": 0.5,
    }
    clip = {"op": "clip"}
    return {
        "op": "shuffle",
        "steps": [
            blur,
            blur,
            _choice((0.75, [resize, clip]), (0.25, decimate)),
            _choice((1.0, [{"op": "downsample", "modes": opencv}, clip])),
            _choice((1.0, [noise, clip])),
            {"op": "jpeg", "quality": [30, 95], "integer": True, "p": 0.9},
        ],
    }


def realesrgan(scale: int) -> Steps:
    """Real-ESRGAN's second-order degradation (Wang et al., 2021), of the sharpened HR.

    Every image has its own draws; the original draws directions, factors, modes, kinds of noise,
    the second blur and the last order once for a batch. JPEG ends at 8-bit levels.
    """
    pytorch = {"adaptive": 1.0, "bilinear": 1.0, "cubic": 1.0}
    blur = {
        "op": "blur",
        "kinds": {
            "iso": 0.405,
            "aniso": 0.225,
            "generalized_iso": 0.108,
            "generalized_aniso": 0.027,
            "plateau_iso": 0.108,
            "plateau_aniso": 0.027,
            "sinc": 0.1,
        },
        "size": [7, 21],
    }
    noise = {"op": "noise", "kinds": {"gaussian": 0.5, "poisson": 0.5}, "gray": 0.4}
    jpeg = {"op": "jpeg", "quality": [30, 95]}
    clip = {"op": "clip"}
    to_lr = [
        {"op": "downsample", "modes": pytorch},
        {
            "op": "blur",
            "kinds": {"sinc": 1.0},
            "size": [7, 21],
            "omega_wide": [math.pi / 3, math.pi],
            "p": 0.8,
        },
    ]
    return [
        {"op": "sharpen"},
        blur | {"sigma": [0.2, 3.0]},
        {
            "op": "resize",
            "directions": {"up": 0.2, "down": 0.7, "keep": 0.1},
            "up": [1.0, 1.5],
            "down": [0.15, 1.0],
            "modes": pytorch,
        },
        noise | {"sigma": [1, 30], "scale": [0.05, 3.0]},
        clip,
        jpeg,
        blur | {"sigma": [0.2, 1.5], "p": 0.8},
        {
            "op": "resize",
            "directions": {"up": 0.3, "down": 0.4, "keep": 0.3},
            "up": [1.0, 1.2],
            "down": [0.3, 1.0],
            "relative": "lr",
            "modes": pytorch,
        },
        noise | {"sigma": [1, 25], "scale": [0.05, 2.5]},
        clip,
        _choice((0.5, [*to_lr, jpeg]), (0.5, [jpeg, *to_lr])),
        {"op": "round"},
    ]


def _choice(*options: tuple[float, Steps]) -> dict[str, Any]:
    """One of several sequences; a single one is a group."""
    return {"op": "choice", "options": [{"weight": w, "steps": steps} for w, steps in options]}


PRESETS = {
    "bicubic": Preset("MATLAB's bicubic (BI)", bicubic),
    "bd": Preset("Gaussian blur of 1.6 and decimation (BD of RDN, RCAN)", bd),
    "dn": Preset("bicubic and noise of 30 levels (DN of RDN, RCAN)", dn),
    "srmd": Preset("Gaussian blur, bicubic, noise up to 75 levels (SRMD)", srmd),
    "ntire_unknown": Preset("a fixed slanted blur and decimation, as DIV2K unknown", ntire_unknown),
    "mild": Preset("motion-like blur, shift, Poisson noise, as NTIRE 2018 mild", mild),
    "bsrgan": Preset("blurs, resizes, noise and JPEG in random order (BSRGAN)", bsrgan),
    "realesrgan": Preset("blur, resize, noise, JPEG, twice, and sinc (Real-ESRGAN)", realesrgan),
}
