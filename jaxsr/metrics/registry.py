"""The measures that `eval.py --metrics` knows by name: what each sees and whose numbers it gives.

Every one is asked in the same way, of images as they are saved: SR and HR uint8 [N, H, W, C] as
the protocol gives them (RGB or gray under `rgb`, rounded luma under `y-uint8`), and LR uint8.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxsr.errors import InputError, nearest
from jaxsr.image.colour import luma, to_float, to_uint8
from jaxsr.metrics.blocking import psnr_b
from jaxsr.metrics.consistency import consistency
from jaxsr.metrics.distortion import psnr, rmse
from jaxsr.metrics.niqe import NiqeModel, load_niqe_model, niqe
from jaxsr.metrics.structural import ms_ssim, ssim

# (sr, hr, lr) -> [N]
Asked = Callable[[Any, Any, Any], Any]


def mean(values: Sequence[float]) -> float:
    """Of the images of a set, as the literature averages nearly everything."""
    return float(np.mean(values))


def root_mean_square(values: Sequence[float]) -> float:
    """The root of the mean squared error over a set: PIRM 2018's RMSE."""
    return float(np.sqrt(np.mean(np.square(values))))


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
      title: the head of its column.
      make: (scale, NIQE's model) -> (sr, hr, lr) -> [N]; reads what files it needs.
      higher_is_better: or lower.
      sees: what of the images.
      reference: whose numbers it gives, and how closely.
      unit: "dB" or nothing.
      digits: after the point.
      least: scale -> the pixels that the shorter and the longer side need.
      over_set: values of the images -> value of the set.
    """

    title: str
    make: Callable[[int, NiqeModel | None], Asked]
    higher_is_better: bool
    sees: str
    reference: str
    unit: str = ""
    digits: int = 4
    least: Callable[[int], tuple[int, int]] = lambda scale: (1, 1)
    over_set: Callable[[Sequence[float]], float] = mean

    def text(self, value: float) -> str:
        """The value with its unit."""
        return f"{value:.{self.digits}f}{' ' if self.unit else ''}{self.unit}"

    @property
    def width(self) -> int:
        """Of its column in a table, in letters."""
        return max(10, len(self.title) + 2)

    def refuse_small(self, name: str, shape: Sequence[int], scale: int) -> None:
        """InputError naming an image, of `shape` [H, W, ...], too small for this measure."""
        height, width = shape[:2]
        shorter, longer = self.least(scale)
        if min(height, width) < shorter or max(height, width) < longer:
            raise InputError(
                f"{name}: {width}x{height} pixels are too few for {self.title} at x{scale}, which "
                f"needs {longer}x{shorter}; leave out the image or the measure"
            )


def get_measures(names: str) -> dict[str, Measure]:
    """The measures of a list such as "psnr,ssim", in its order.

    Raises:
      InputError: for an unknown name, one given twice, or none.
    """
    found: dict[str, Measure] = {}
    for name in (part.strip() for part in names.split(",")):
        if name not in MEASURES:
            raise InputError(f"--metrics: unknown measure '{name}'{nearest(name, MEASURES)}")
        if name in found:
            raise InputError(f"--metrics: {name} is named twice")
        found[name] = MEASURES[name]
    return found


def titles(measures: Mapping[str, Measure]) -> str:
    """The heads of the measures' columns."""
    return "".join(f"{m.title:>{m.width}}" for m in measures.values())


def cells(measures: Mapping[str, Measure], values: Mapping[str, Any]) -> str:
    """A row of values, by the names of the measures, below their heads."""
    return "".join(f"{m.text(values[name]):>{m.width}}" for name, m in measures.items())


def describe() -> list[str]:
    """Lines for people: every measure, what is better, what it sees, whose numbers it gives."""
    about = {
        name: f"{measure.title}, {'higher' if measure.higher_is_better else 'lower'} is better. "
        f"Of {measure.sees}. Agrees with {measure.reference}."
        for name, measure in MEASURES.items()
    }
    about["-"] = (
        "Ma's score and the Perceptual Index, which needs it, are not there: its random forests "
        "are files of its authors. jaxsr.metrics.perceptual_index has the formula."
    )
    width = max(map(len, about)) + 2
    lines = []
    for name, text in about.items():
        lines += textwrap.wrap(f"{name:<{width}}{text}", 96, subsequent_indent=" " * width)
    return lines


def _on_luma(metric: Callable[..., jax.Array]) -> Callable[[int, NiqeModel | None], Asked]:
    """A distortion measure of luma, shaved by the scale; compiled once for each shape."""
    program = jax.jit(metric, static_argnames=("shave", "luma"))

    def make(scale: int, pristine: NiqeModel | None) -> Asked:
        return lambda sr, hr, lr: program(sr, hr, shave=scale, luma=True)

    return make


def _rmse(scale: int, pristine: NiqeModel | None) -> Asked:
    @jax.jit
    def program(sr: Any, hr: Any) -> jax.Array:
        y = [to_uint8(luma(to_float(x))) for x in (sr, hr)]
        return rmse(*y, shave=scale)

    return lambda sr, hr, lr: program(sr, hr)


def _psnr_b(scale: int, pristine: NiqeModel | None) -> Asked:
    return lambda sr, hr, lr: psnr_b(sr, hr, shave=scale, luma=True, block=8 * scale)


def _consistency(scale: int, pristine: NiqeModel | None) -> Asked:
    return lambda sr, hr, lr: consistency(sr, lr)


def _niqe(scale: int, pristine: NiqeModel | None) -> Asked:
    model = pristine or load_niqe_model()
    return lambda sr, hr, lr: niqe(sr, model, shave=scale)


def _lpips(network: str, trunk: str) -> Callable[[int, NiqeModel | None], Asked]:
    def make(scale: int, pristine: NiqeModel | None) -> Asked:
        from jaxsr.metrics.lpips import lpips
        from jaxsr.vision import weights

        for name in (trunk, f"lpips_{network}"):  # missing files show before the work
            weights.loaded(name)
        return lambda sr, hr, lr: lpips(sr, hr, network=network)

    return make


def _dists(scale: int, pristine: NiqeModel | None) -> Asked:
    from jaxsr.metrics.dists import dists
    from jaxsr.vision import weights

    for name in ("vgg16", "dists"):
        weights.loaded(name)
    return lambda sr, hr, lr: dists(sr, hr)


def _square(side: int) -> Callable[[int], tuple[int, int]]:
    """That many pixels a side after the shave."""
    return lambda scale: (side + 2 * scale, side + 2 * scale)


_LUMA = "luma without a border of the scale's width"
_COLOUR = "RGB, whole images; gray, and luma under y-uint8, as three equal channels"

MEASURES: dict[str, Measure] = {
    "psnr": Measure(
        "PSNR-Y",
        _on_luma(psnr),
        True,
        _LUMA,
        "BasicSR's published values (1e-4 dB) and scikit-image",
        unit="dB",
        digits=2,
    ),
    "ssim": Measure(
        "SSIM-Y",
        _on_luma(ssim),
        True,
        _LUMA,
        "BasicSR's published values and MATLAB's (1e-4) and scikit-image",
        least=_square(11),
    ),
    "ms_ssim": Measure(
        "MS-SSIM",
        _on_luma(ms_ssim),
        True,
        _LUMA,
        "Wang's script: the product of five scales (1e-4)",
        least=_square(176),
    ),
    "rmse": Measure(
        "RMSE",
        _rmse,
        False,
        f"{_LUMA}, rounded, in levels of 255; of a set the root of the mean square",
        "PIRM 2018's definition",
        digits=3,
        over_set=root_mean_square,
    ),
    "lpips": Measure(
        "LPIPS",
        _lpips("alex", "alexnet"),
        False,
        _COLOUR,
        "the authors' package, version 0.1, AlexNet (1e-3)",
        least=lambda scale: (31, 31),
    ),
    "lpips_vgg": Measure(
        "LPIPS-VGG",
        _lpips("vgg", "vgg16"),
        False,
        _COLOUR,
        "the authors' package, version 0.1, VGG16 (1e-3)",
        least=lambda scale: (16, 16),
    ),
    "lpips_squeeze": Measure(
        "LPIPS-SQ",
        _lpips("squeeze", "squeezenet1_1"),
        False,
        _COLOUR,
        "the authors' package, version 0.1, SqueezeNet 1.1 (with random trunks)",
        least=lambda scale: (17, 17),
    ),
    "dists": Measure(
        "DISTS",
        _dists,
        False,
        f"{_COLOUR}; not resized",
        "the authors' PyTorch code (1e-3)",
        least=lambda scale: (16, 16),
    ),
    "niqe": Measure(
        "NIQE",
        _niqe,
        False,
        f"{_LUMA}, rounded",
        "LIVE's released code with its model (1e-3; up to 5 percent in flat pictures)",
        least=lambda scale: (96 + 2 * scale, 192 + 2 * scale),
    ),
    "psnr_b": Measure(
        "PSNR-B",
        _psnr_b,
        True,
        f"{_LUMA}; blocks of 8 LR pixels",
        "Yim and Bovik's formula",
        unit="dB",
        digits=2,
        least=lambda scale: (10 * scale + 1, 10 * scale + 1),
    ),
    "consistency": Measure(
        "LR-PSNR",
        _consistency,
        True,
        "all channels of SR, made small by MATLAB's bicubic, against LR",
        "MATLAB's imresize (to the bit)",
        unit="dB",
        digits=2,
    ),
}
