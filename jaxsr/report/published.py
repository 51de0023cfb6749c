"""Points of the literature on the perception-distortion plane, all at x4.

RMSE and PSNR are of luma; PI and LPIPS are better when lower.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What one paper or page prints for one method on one set."""

    method: str
    set: str
    values: dict[str, float]
    source: str


_ESRGAN = "Wang et al. 2018, ESRGAN (https://arxiv.org/abs/1809.00219)"
_SPSR = "README of SPSR, Ma et al. 2020 (https://github.com/Maclory/SPSR)"
_PIRM = {
    "ESRGAN": (2.040, 15.15),
    "ESRGAN interpolation 2": (2.567, 12.45),
    "EnhanceNet": (2.688, 15.99),
    "ESRGAN interpolation 1": (3.279, 11.47),
    "RCAN": (4.831, 10.87),
    "EDSR": (5.243, 11.16),
}  # PI, RMSE
_SETS = ("Set5", "Set14", "BSD100", "General100", "Urban100")
_PI_LPIPS_PSNR = {
    "bicubic": (
        (7.3699, 7.0268, 7.0026, 7.9365, 6.9435),
        (0.3407, 0.4393, 0.5249, 0.3528, 0.4726),
        (28.420, 26.100, 25.961, 28.018, 23.145),
    ),
    "SRGAN": (
        (3.9820, 3.0851, 2.5459, 4.3757, 3.6980),
        (0.0882, 0.1663, 0.1980, 0.1055, 0.1551),
        (29.168, 26.171, 25.459, 28.575, 24.397),
    ),
    "ESRGAN": (
        (3.7522, 2.9261, 2.4793, 4.3234, 3.7704),
        (0.0748, 0.1329, 0.1614, 0.0879, 0.1229),
        (30.454, 26.276, 25.317, 29.412, 24.360),
    ),
}

PUBLISHED = [
    Published(method, "PIRM-SR self-validation", {"pi": pi, "rmse": rmse}, _ESRGAN)
    for method, (pi, rmse) in _PIRM.items()
] + [
    Published(method, name, {"pi": pi, "lpips": lpips, "psnr": psnr}, _SPSR)
    for method, rows in _PI_LPIPS_PSNR.items()
    for name, pi, lpips, psnr in zip(_SETS, *rows, strict=True)
]


def published_points(set_name: str, distortion: str, perception: str) -> list[Published]:
    """Those on that set, or, where only one set has both measures, on that one; maybe none."""
    both = [p for p in PUBLISHED if distortion in p.values and perception in p.values]
    if len({p.set for p in both}) == 1:
        return both
    return [p for p in both if p.set.lower() == set_name.lower()]
