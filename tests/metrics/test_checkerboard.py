"""The checkerboard measure by closed forms and by the spectrum."""

import json
from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image.io import Picture, write_image
from jaxsr.metrics import checkerboard

score: Any = jax.jit(checkerboard, static_argnums=1)
NOISE: Any = np.random.default_rng(3)


def smooth(height: int, width: int) -> Any:
    """A picture that rises and falls, [1, H, W, 3]."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    waves = [np.sin(2 * np.pi * (a * y + b * x)) for a, b in ((1, 2), (2, 1), (1, -1))]
    return (0.5 + 0.2 * np.stack(waves, -1))[None].astype(np.float32)


def pattern(scale: int, height: int, width: int) -> Any:
    """One of period `scale`, mean 0 and standard deviation 1, [1, H, W, 1]."""
    cell = NOISE.normal(size=(scale, scale))
    cell = (cell - cell.mean()) / cell.std()
    tiled = np.tile(cell, (height // scale + 1, width // scale + 1))[:height, :width]
    return tiled[None, ..., None].astype(np.float32)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pictures_without_a_pattern(scale):
    stairs = smooth(24, 36).repeat(scale, 1).repeat(scale, 2)
    ramp = np.broadcast_to(np.linspace(0, 1, 36 * scale)[:, None], stairs.shape)
    assert score(np.full(stairs.shape, 0.7), scale)[0] == 0
    for picture in (ramp, stairs, smooth(*stairs.shape[1:3])):
        assert score(picture, scale)[0] < 1e-3


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("amplitude", [0.001, 0.1])
def test_nothing_but_a_pattern_is_all_of_the_detail(scale, amplitude):
    x = 0.5 + amplitude * pattern(scale, 37, 43)
    np.testing.assert_allclose(score(x, scale), 1.0, rtol=1e-4)


@pytest.mark.parametrize("scale", [2, 3])
def test_a_pattern_on_a_picture(scale):
    """a^2 / (a^2 + v); the picture's detail, of period 5, has no part in a pattern of 2 or 3."""
    side = 30 * scale
    other = 0.05 * pattern(5, side + 2 * (scale // 2), side + 2 * (scale // 2))
    v = np.var(np.asarray(_detail(other, scale)))
    for amplitude in (0.01, 0.05):
        x = 0.5 + other + amplitude * pattern(scale, *other.shape[1:3])
        want = amplitude**2 / (amplitude**2 + v)
        np.testing.assert_allclose(score(x, scale), want, rtol=1e-3)


def _detail(x, scale):
    """The image minus its mean over a period, one tap of a written-out kernel after the other."""
    reach = scale // 2
    taps = np.convolve(np.ones(scale), [0.5, 0.5]) if scale % 2 == 0 else np.ones(scale)
    kernel = np.outer(taps, taps) / scale**2
    h, w = (n - 2 * reach for n in x.shape[1:3])
    mean = sum(kernel[i, j] * x[:, i : i + h, j : j + w] for i, j in np.ndindex(*kernel.shape))
    return x[:, reach : reach + h, reach : reach + w] - mean


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_is_the_energy_at_the_frequencies_of_the_period(scale):
    side = 12 * scale
    x = NOISE.random((2, side + 2 * (scale // 2), side + 2 * (scale // 2), 2)).astype(np.float32)
    power = np.abs(np.fft.fft2(_detail(x.astype(float), scale), axes=(1, 2))) ** 2
    power[:, 0, 0] = 0
    step = side // scale
    want = power[:, ::step, ::step].sum((1, 2, 3)) / power.sum((1, 2, 3))
    np.testing.assert_allclose(score(x, scale), want, rtol=1e-4)


def test_images_are_scored_one_by_one():
    x: Any = np.concatenate(
        [0.5 + 0.1 * pattern(2, 20, 20), np.full((1, 20, 20, 1), 0.5, np.float32)]
    )
    np.testing.assert_allclose(score(x, 2), [1.0, 0.0], rtol=1e-4)


def test_what_is_refused():
    blank: Any = np.zeros((1, 7, 9, 1))
    with pytest.raises(ValueError, match="a period of at least 2, got 1"):
        checkerboard(blank, 1)
    with pytest.raises(ValueError, match="sides of 8 or more"):
        checkerboard(blank, 4)


def test_the_tool_measures_each_way(monkeypatch, tmp_path, capsys):
    """Before training a sub-pixel layer draws a pattern, and with ICNR it does not."""
    from benchmarks import checkerboard as tool

    for name in ("a.png", "b.png"):
        picture = NOISE.integers(0, 256, (48, 64, 3), np.uint8)
        write_image(tmp_path / name, Picture(picture))
    ways = tool.ways(2)
    chosen = {name: ways[name] for name in ("sub-pixel", "sub-pixel, ICNR")}
    monkeypatch.setattr(tool, "ways", lambda scale: chosen)
    out = tmp_path / "out"
    told = ["--data", str(tmp_path), "--scale", "2", "--steps", "1", "--out", str(out)]
    assert tool.main(told) == 0
    report = json.loads((out / "checkerboard.json").read_text())
    original, plain, icnr = report["ways"]
    assert original["way"] == "the original" and original["initial"] is None
    assert plain["initial"] > 0.1 > 0.02 > icnr["initial"]
    assert (out / "checkerboard.png").is_file()
    assert len(capsys.readouterr().out.splitlines()) == 5
