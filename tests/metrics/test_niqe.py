"""NIQE against a NumPy implementation of its own; the official values are in tests/reference."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.ndimage import gaussian_filter

from benchmarks.pytorch.niqe import niqe as peer
from jaxsr.errors import InputError
from jaxsr.metrics.niqe import (
    NiqeModel,
    fit_niqe_model,
    load_niqe_model,
    niqe,
    save_niqe_model,
)
from jaxsr.metrics.niqe_features import block_features
from jaxsr.metrics.perceptual_index import perceptual_index

NOISE = np.random.default_rng(8)
GRAY: Any = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])
Y: Any = np.array([65.481, 128.553, 24.966]) / 255


def texture(h: int, w: int) -> Any:
    """Colours with detail of several sizes, uint8 [h, w, 3]."""
    fields = [gaussian_filter(NOISE.normal(size=(h, w, 3)), (s, s, 0)) * s for s in (0.7, 2, 6)]
    return (128 + 60 * sum(fields)).clip(0, 255).astype(np.uint8)


PICTURES = np.stack([texture(200, 210) for _ in range(2)])
SPREAD = NOISE.normal(size=(36, 36))
MODEL = NiqeModel(NOISE.random(36), SPREAD @ SPREAD.T / 36 + np.eye(36), "made up")


@pytest.mark.parametrize(("channel", "weights", "offset"), [("y", Y, 16), ("gray", GRAY, 0)])
def test_against_numpy(channel, weights, offset):
    got = niqe(PICTURES, MODEL, channel=channel)
    gray = np.floor(PICTURES @ weights + offset + 0.5)
    want = [peer(image, MODEL.mean, MODEL.covariance) for image in gray]
    assert got.shape == (2,) and got.dtype == np.float64
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_shave_floats_and_gray():
    whole = niqe(PICTURES, MODEL, shave=4)
    np.testing.assert_array_equal(whole, niqe(PICTURES[:, 4:-4, 4:-4], MODEL))
    floats = PICTURES / 255 + NOISE.uniform(-0.4, 0.4, PICTURES.shape) / 255
    np.testing.assert_array_equal(whole, niqe(floats.astype(np.float32), MODEL, shave=4))
    y = np.floor(PICTURES @ Y + 16.5).astype(np.uint8)[..., None]
    np.testing.assert_array_equal(whole, niqe(y, MODEL, shave=4))


def test_more_blocks_than_are_computed_at_once():
    """20 blocks, the same bits as in two halves."""
    gray = texture(4 * 96, 5 * 96)[..., 0].astype(float)
    features, sharpness = block_features(gray)
    assert features.shape == (20, 36) and sharpness.shape == (20,)
    again, _ = block_features(gray)
    np.testing.assert_array_equal(features, again)
    # Scale 2 sees over the cut, and so do windows; blocks away from it do not.
    top, _ = block_features(gray[: 2 * 96])
    np.testing.assert_array_equal(features[:5], top[:5])


def test_flat_parts():
    """Flat blocks have no statistics; what is left counts, unless nothing or one block is left."""
    flat = np.full((1, 192, 192, 3), 77, np.uint8)
    assert np.isnan(niqe(flat, MODEL)).all()
    flat[0, :96] = PICTURES[0, :96, :192]
    features, sharpness = block_features(flat[0] @ GRAY)
    assert np.isnan(features[2:]).any(1).all() and not np.isnan(features[:2]).any()
    assert sharpness[0] > 5 > sharpness[2]
    assert np.isfinite(niqe(flat, MODEL)).all()
    flat[0, :96, 96:] = 77
    assert np.isnan(niqe(flat, MODEL)).all()


def test_refusals():
    with pytest.raises(ValueError, match=r"two blocks of 96x96 .* shave of 4, got 191x100"):
        niqe(PICTURES[:, :108, :199], MODEL, shave=4)
    with pytest.raises(ValueError, match=r"\[N, H, W, 1 or 3\]"):
        niqe(PICTURES[0], MODEL)
    with pytest.raises(ValueError, match="channel must be one of"):
        niqe(PICTURES, MODEL, channel="luma")


@pytest.fixture(scope="module")
def fitted():
    return fit_niqe_model((texture(4 * 96, 4 * 96) for _ in range(4)), "textures")


def test_a_model_of_ones_own(fitted):
    """Pictures like those it was fitted to are nearer than the same ones blurred or noisy."""
    picture = texture(4 * 96, 5 * 96)
    blurred = gaussian_filter(picture, (1.5, 1.5, 0))
    noisy = (picture + NOISE.normal(0, 25, picture.shape)).clip(0, 255).astype(np.uint8)
    own, blur, noise = niqe(np.stack([picture, blurred, noisy]), fitted, channel="gray")
    assert own < 0.6 * min(blur, noise)


def test_only_sharp_blocks_are_fitted():
    """A dull half does not count: three quarters of the sharpest block's mean deviation do."""
    pictures = [texture(4 * 96, 6 * 96) for _ in range(4)]
    dulled = [np.concatenate([x, (x[:96] // 4 + 90)]) for x in pictures]
    sharp, both = (fit_niqe_model(images, "") for images in (pictures, dulled))
    # Scale 2 and the window see a little over the edge between the halves.
    np.testing.assert_allclose(both.mean, sharp.mean, rtol=0.02, atol=0.002)


def test_too_little_to_fit():
    with pytest.raises(InputError, match=r"4 sharp blocks .* too few for a NIQE model"):
        fit_niqe_model([texture(192, 192)], "")
    with pytest.raises(InputError, match="0 sharp blocks"):
        fit_niqe_model([], "")


def test_files_of_models(tmp_path, monkeypatch):
    save_niqe_model(tmp_path / "own.npz", MODEL)
    np.savez(tmp_path / "b.npz", mu_pris_param=MODEL.mean[None], cov_pris_param=MODEL.covariance)
    names = {"mu_prisparam": MODEL.mean[None], "cov_prisparam": MODEL.covariance}
    savemat(tmp_path / "niqe_modelparameters.mat", names)
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    for path, name in (
        (tmp_path / "own.npz", "made up"),
        (tmp_path / "b.npz", "b.npz"),
        (None, "niqe_modelparameters.mat"),
    ):
        model = load_niqe_model(path)
        assert model.name == name
        np.testing.assert_array_equal(model.mean, MODEL.mean)
        np.testing.assert_array_equal(model.covariance, MODEL.covariance)


def test_no_model(tmp_path, monkeypatch):
    """The line says which file, where it is published, its digest, where to put it, or else."""
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    with pytest.raises(InputError) as error:
        load_niqe_model()
    parts = ("niqe_modelparameters.mat", "niqe_release.zip", "fa2aa4d1", "jaxsr niqe-fit FOLDER")
    assert all(part in str(error.value) for part in (*parts, str(tmp_path)))


def test_other_files(tmp_path):
    file = tmp_path / "x.npz"
    with pytest.raises(InputError, match=r"x\.npz: there is no such file"):
        load_niqe_model(file)
    odd = MODEL.covariance.copy()
    for state, message in (
        ({"mu": MODEL.mean}, "is no NIQE model"),
        ({"mu": MODEL.mean[:35], "cov": odd}, "is no NIQE model"),
        ({"mu": MODEL.mean, "cov": np.where(np.eye(36) == 1, np.nan, odd)}, "covariance"),
        ({"mu": MODEL.mean, "cov": np.triu(odd)}, "covariance"),
    ):
        np.savez(file, **state)
        with pytest.raises(InputError, match=message):
            load_niqe_model(file)
    Image.fromarray(PICTURES[0]).save(tmp_path / "x.png")
    with pytest.raises(InputError, match="not a file of weights"):
        load_niqe_model(tmp_path / "x.png")
    with pytest.raises(InputError, match=r"written as \.npz"):
        save_niqe_model(tmp_path / "x.mat", MODEL)


def test_perceptual_index():
    assert perceptual_index(4.0, 8.0) == 3.0
    assert perceptual_index(0.0, 10.0) == 0.0
