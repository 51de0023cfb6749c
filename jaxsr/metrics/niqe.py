"""NIQE: how far an image's statistics are from those of pristine photographs; lower is better.

Mittal, Soundararajan & Bovik 2013, https://doi.org/10.1109/LSP.2012.2227726, as the authors'
released code computes it: all blocks count, however dull, which MATLAB's built-in `niqe` (another
model, too) does not do. It takes no truth and has no useful gradient.

The authors' model is not part of this package: the notice that came with it allows copies of the
source files and the documentation and does not name the model. Get it from them, or fit one.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsr.errors import InputError
from jaxsr.image.colour import to_uint8
from jaxsr.metrics.niqe_features import BLOCK, block_features

FEATURES = 36
_FILE = "niqe_modelparameters.mat"
_URL = "http://live.ece.utexas.edu/research/quality/niqe_release.zip"
_SHA256 = "fa2aa4d12dd9595c3fb6bf8b4e1a15c79d5d1469238d0901c88dead195be578d"
_CHANNELS = {  # weights of R, G, B and an offset, in levels
    "y": (np.array([65.481, 128.553, 24.966]) / 255, 16.0),
    "gray": (np.array([0.298936021293775, 0.587043074451121, 0.114020904255103]), 0.0),
}
_SHARP = 0.75  # of the sharpest block of an image: what pristine models are fitted to
# What the files of models call the mean and the covariance: LIVE's, BasicSR's, jaxsr's.
_NAMES = (("mu_prisparam", "cov_prisparam"), ("mu_pris_param", "cov_pris_param"), ("mu", "cov"))


@dataclass(frozen=True)
class NiqeModel:
    """A Gaussian of the features of pristine blocks: mean [36], covariance [36, 36], a name."""

    mean: np.ndarray
    covariance: np.ndarray
    name: str


def niqe(
    x: jax.Array | np.ndarray, model: NiqeModel, *, shave: int = 0, channel: str = "y"
) -> np.ndarray:
    """NIQE of images, on the host: float64 [N].

    Deviates from the released code where a picture is flat, see `block_features`; there its own
    values spread by up to 5 percent with the order of sums, elsewhere they agree to 1e-3.

    Args:
      x: [N, H, W, C], C = 1 or 3, uint8 or float in [0, 1], which is rounded to 8 bits.
      model: see `load_niqe_model`.
      shave: pixels removed on every side first (PIRM 2018: 4).
      channel: "y" is luma as `rgb2ycbcr` gives it, rounded (PIRM 2018, BasicSR); "gray" is
        MATLAB's `rgb2gray`, rounded (the released code). A one-channel image is taken as it is.

    Returns:
      [N]; NaN for an image with fewer than two blocks that are not flat.

    Raises:
      ValueError: for less than two blocks of 96x96 pixels after the shave, another rank, number
        of channels or channel.
    """
    if channel not in _CHANNELS:
        raise ValueError(f"channel must be one of {tuple(_CHANNELS)}, got {channel!r}")
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise ValueError(f"expected [N, H, W, 1 or 3], got shape {x.shape}")
    h, w = (max(0, n - 2 * shave) for n in x.shape[1:3])
    if shave < 0 or (h // BLOCK) * (w // BLOCK) < 2:
        raise ValueError(
            f"NIQE needs two blocks of {BLOCK}x{BLOCK} pixels after the shave of {shave}, "
            f"got {w}x{h}"
        )
    inner = slice(shave, -shave or None)
    grays = [_gray(image, channel)[inner, inner] for image in np.asarray(to_uint8(x))]
    return np.array([_distance(block_features(gray)[0], model) for gray in grays])


def _gray(image: np.ndarray, channel: str) -> np.ndarray:
    """Whole levels [H, W] of uint8 [H, W, 1 or 3]."""
    if image.shape[-1] == 1:
        return image[..., 0]
    weights, offset = _CHANNELS[channel]
    return np.floor(image @ weights + (offset + 0.5))


def _distance(features: np.ndarray, model: NiqeModel) -> float:
    """sqrt(d^T ((C0 + C) / 2)^+ d) with d the difference of the means."""
    mean, covariance = _gaussian(features)
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        return float("nan")
    difference = model.mean - mean
    # By singular values: of NumPy's threads `eigh` of so small a matrix only waits.
    precision = np.linalg.pinv(
        (model.covariance + covariance) / 2, rcond=FEATURES * np.finfo(float).eps
    )
    return float(np.sqrt(difference @ precision @ difference))


def _gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of what is a number, feature by feature; covariance (n - 1) of the rows without NaN."""
    known = ~np.isnan(features)
    rows = features[known.all(axis=1)]
    if len(rows) < 2:
        return np.full(FEATURES, np.nan), np.full((FEATURES, FEATURES), np.nan)
    return np.where(known, features, 0).sum(0) / known.sum(0), np.cov(rows, rowvar=False)


def fit_niqe_model(images: Iterable[Any], name: str, *, channel: str = "gray") -> NiqeModel:
    """The model of pristine images, as the authors' `estimatemodelparam` makes it.

    Of each image the blocks count that are more than 0.75 times as sharp as its sharpest.

    Args:
      images: uint8 [H, W, 1 or 3] each, at least 96 pixels a side.
      name: what results call the model.
      channel: as for `niqe`; the authors' is "gray".

    Raises:
      InputError: if fewer than 37 blocks are left: their covariance would say nothing.
    """
    kept = []
    for image in images:
        features, sharpness = block_features(_gray(image, channel))
        kept.append(features[sharpness > _SHARP * sharpness.max()])
    features = np.concatenate([*kept, np.empty((0, FEATURES))])
    usable = int((~np.isnan(features)).all(axis=1).sum())
    if usable <= FEATURES:
        raise InputError(
            f"{usable} sharp blocks of {BLOCK}x{BLOCK} pixels are too few for a NIQE model; give "
            f"images with more than {FEATURES}, better thousands (the authors took 125 photographs)"
        )
    return NiqeModel(*_gaussian(features), name)


def save_niqe_model(path: str | os.PathLike[str], model: NiqeModel) -> None:
    """Writes a model as .npz; InputError for another suffix or a place that cannot be written."""
    from jaxsr.interop.files import write_state

    if Path(path).suffix.lower() != ".npz":
        raise InputError(f"{path}: NIQE models are written as .npz; choose that suffix")
    state = {"mu": model.mean, "cov": model.covariance}
    write_state(path, state, {"name": model.name})


def load_niqe_model(path: str | os.PathLike[str] | None = None) -> NiqeModel:
    """The pristine model in a file.

    Args:
      path: the authors' .mat, BasicSR's .npz of the same numbers, or one that `jaxsr niqe-fit`
        made; by default niqe_modelparameters.mat in `$JAXSR_CACHE` (or `~/.cache/jaxsr`).

    Raises:
      InputError: with one line, if there is none, or the file holds something else.
    """
    from jaxsr.interop.files import read_state

    if path is None:
        path = _cached()
    state, metadata = read_state(path)
    for mean, covariance in _NAMES:
        if mean in state and covariance in state:
            mu, cov = (np.asarray(state[key], np.float64) for key in (mean, covariance))
            if mu.size == FEATURES and cov.shape == (FEATURES, FEATURES):
                break
    else:
        raise InputError(f"{path}: is no NIQE model: a mean of 36 numbers and a 36x36 covariance")
    if not (np.isfinite(mu).all() and np.isfinite(cov).all() and np.allclose(cov, cov.T)):
        raise InputError(f"{path}: its covariance is not one; get the file again")
    return NiqeModel(mu.reshape(-1), cov, metadata.get("name", Path(path).name))


def _cached() -> Path:
    folder = Path(os.environ.get("JAXSR_CACHE") or Path.home() / ".cache" / "jaxsr")
    if not (folder / _FILE).is_file():
        raise InputError(
            f"NIQE's model is not on this machine: put {_FILE} from {_URL} (SHA-256 {_SHA256}) "
            f"into {folder}, or fit one of your own, `jaxsr niqe-fit FOLDER -o model.npz`, and "
            "name it"
        )
    return folder / _FILE
