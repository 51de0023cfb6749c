"""The measures by name: how they are asked, what they need, what is told of them."""

from typing import Any

import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from jaxsr.errors import InputError
from jaxsr.metrics.niqe import NiqeModel
from jaxsr.metrics.registry import MEASURES, describe, get_measures
from jaxsr.vision import weights

SCALE = 2
MODEL = NiqeModel(np.zeros(36), np.eye(36), "made up")
# In the tests of their own, where their weights are.
DEEP = ("lpips", "lpips_vgg", "lpips_squeeze", "dists")


def pair(height: int, width: int) -> tuple[Any, Any, Any]:
    noise = np.random.default_rng(4)
    hr = noise.integers(0, 256, (1, height, width, 3), np.uint8)
    sr = (hr // 2 + noise.integers(0, 128, hr.shape)).astype(np.uint8)
    return sr, hr, hr[:, ::SCALE, ::SCALE]


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in DEEP])
def test_every_one_at_the_smallest_size(name):
    """A pixel less, where there is a limit, is refused by the registry and by the measure."""
    measure = MEASURES[name]
    shorter, longer = (-(-n // SCALE) * SCALE for n in measure.least(SCALE))
    shorter, longer = max(shorter, 12), max(longer, 12)
    ask = measure.make(SCALE, MODEL)
    (value,) = np.asarray(ask(*pair(shorter, longer)))
    assert np.isfinite(value)
    measure.refuse_small("a.png", (shorter, longer, 3), SCALE)
    if min(measure.least(SCALE)) > 1:
        small = pair(2 * ((measure.least(SCALE)[0] - 1) // 2), longer)
        with pytest.raises(InputError, match=rf"a\.png: .* too few for {measure.title} at x2"):
            measure.refuse_small("a.png", small[1].shape[1:], SCALE)
        with pytest.raises(ValueError):
            ask(*small)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """An empty folder in which weights are looked for, and no packages that carry them."""
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    weights.loaded.cache_clear()
    yield tmp_path
    weights.loaded.cache_clear()


@pytest.mark.parametrize("name", DEEP)
def test_weights_that_are_missing_show_before_the_work(no_weights, name):
    with pytest.raises(InputError, match="not on this machine"):
        MEASURES[name].make(SCALE, None)


def test_lpips_of_colour_and_of_luma(no_weights):
    """With random weights: gray, as luma is under y-uint8, counts as three equal channels."""
    trunk = weights.random_params("alexnet")
    heads = {f"lin{i}": np.ones(c, np.float32) for i, c in enumerate((64, 192, 384, 256, 256))}
    weights.save(no_weights / "alexnet.safetensors", trunk)
    weights.save(no_weights / "lpips_alex.safetensors", heads)
    ask = MEASURES["lpips"].make(SCALE, None)
    sr, hr, lr = pair(32, 32)
    assert ask(sr, hr, lr)[0] > 0.01 and ask(hr, hr, lr)[0] < 1e-6
    gray, truth = sr[..., :1], hr[..., :1]
    np.testing.assert_allclose(
        ask(gray, truth, lr), ask(gray.repeat(3, -1), truth.repeat(3, -1), lr), rtol=1e-5
    )


def test_rmse_is_of_rounded_luma_and_over_the_set():
    sr, hr, lr = pair(20, 24)
    y = [np.floor(rgb2ycbcr(x[0])[2:-2, 2:-2, 0] + 0.5) for x in (sr, hr)]
    want = np.sqrt(((y[0] - y[1]) ** 2).mean())
    measure = MEASURES["rmse"]
    assert float(measure.make(SCALE, None)(sr, hr, lr)[0]) == pytest.approx(want, rel=1e-5)
    assert measure.over_set([3.0, 4.0]) == pytest.approx(np.sqrt(12.5))
    assert MEASURES["psnr"].over_set([3.0, 4.0]) == 3.5


def test_names():
    assert list(get_measures("niqe, psnr")) == ["niqe", "psnr"]
    with pytest.raises(InputError, match="unknown measure 'nique'; did you mean 'niqe'"):
        get_measures("psnr,nique")
    with pytest.raises(InputError, match="psnr is named twice"):
        get_measures("psnr,ssim,psnr")
    with pytest.raises(InputError, match="unknown measure ''"):
        get_measures("psnr,")


def test_texts():
    assert MEASURES["psnr"].text(28.4213) == "28.42 dB"
    assert MEASURES["lpips"].text(0.138) == "0.1380"
    lines = describe()
    assert all(any(line.startswith(f"{name} ") for line in lines) for name in MEASURES)
    assert max(map(len, lines)) <= 100 and "Ma's score" in " ".join(lines)
