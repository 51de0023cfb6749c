"""Structural losses against the measures, closed forms and scikit-image."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from jaxsr import metrics
from jaxsr.errors import InputError
from jaxsr.losses import (
    gaussian_l1,
    l1,
    mix_paper,
    mix_released,
    ms_ssim,
    ms_ssim_2scales,
    ms_ssim_3scales,
    ssim,
    zhao_ms_ssim,
    zhao_ssim,
)

RNG = np.random.default_rng(6)
HR: Any = RNG.random((2, 36, 35, 3), np.float32)
SR: Any = (HR + RNG.normal(0, 0.1, HR.shape)).astype(np.float32)


def zhao_pair() -> Any:
    i, j, c = np.mgrid[:33, :33, :3]
    x = 0.5 + 0.4 * np.sin(0.3 * i + 0.2 * j + c)
    y = 0.5 + 0.4 * np.sin(0.3 * i + 0.2 * j + c + 0.1) + 0.02 * np.cos(1.7 * i * j / 7)
    return x[None], y[None]


GOLDEN = {
    zhao_ms_ssim: 0.11095819,
    gaussian_l1: 0.02708744,
    mix_released: 0.02918421,
    mix_paper: 0.09753887,
    zhao_ssim: 0.00637728,
    l1: 0.02724760,
}


def test_zhao_et_al_on_one_patch():
    """Their layer's one value of a patch as wide as the window, computed independently."""
    x, y = zhao_pair()
    all_of_them = jax.jit(lambda x, y: [loss(x, y) for loss in GOLDEN])
    with jax.enable_x64(True):
        got = all_of_them(x, y)
    np.testing.assert_allclose(got, list(GOLDEN.values()), rtol=0, atol=1e-8)
    x, y = (v.astype(np.float32) for v in (x, y))
    got = all_of_them(x, y)
    np.testing.assert_allclose(got, list(GOLDEN.values()), rtol=0, atol=5e-6)


def test_zhao_et_al_on_an_image_are_the_mean_of_its_patches():
    parts = [np.s_[:, i : i + 33, j : j + 33] for i in range(4) for j in range(3)]
    for loss in (zhao_ms_ssim, gaussian_l1):
        f = jax.jit(loss)
        want = np.mean([f(SR[part], HR[part]) for part in parts])
        assert float(f(SR, HR)) == pytest.approx(want, abs=1e-5)


def test_ssim_is_one_minus_the_measure():
    want = 1 - float(metrics.ssim(SR, HR).mean())
    assert float(jax.jit(ssim)(SR, HR)) == pytest.approx(want, abs=1e-6)


def test_ssim_of_dark_flat_noise_in_half_precision():
    """Against scikit-image in float64 on what bfloat16 holds; E[x^2] - E[x]^2 there is noise."""
    x, y = (jnp.asarray(0.5 + RNG.normal(0, 0.01, (1, 16, 16, 1)), jnp.bfloat16) for _ in range(2))
    full = structural_similarity(
        *(np.asarray(v, float)[0, ..., 0] for v in (x, y)),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
        full=True,
    )[1]
    assert float(ssim(x, y)) == pytest.approx(1 - full[5:-5, 5:-5].mean(), abs=1e-5)


def test_ms_ssim_is_one_minus_the_measure():
    hr: Any = RNG.random((1, 176, 177, 1), np.float32)
    sr = (hr + RNG.normal(0, 0.3, hr.shape)).astype(np.float32)
    want = 1 - float(metrics.ms_ssim(sr, hr)[0])
    assert float(jax.jit(ms_ssim)(sr, hr)) == pytest.approx(want, abs=1e-5)


def test_fewer_scales_are_named_and_weigh_one_together():
    """Two scales by scikit-image: cs = SSIM where the local means are made equal."""
    hr: Any = RNG.random((1, 22, 22, 1))
    noise = RNG.normal(0, 0.3, hr.shape)

    def maps(x: Any, y: Any) -> float:
        """The mean of cs in float64, its moments from scikit-image's window."""
        from scipy.ndimage import gaussian_filter

        def mean(v: Any) -> Any:
            return gaussian_filter(v, 1.5, truncate=3.5)[5:-5, 5:-5]

        mx, my = mean(x), mean(y)
        cov, vx, vy = mean(x * y) - mx * my, mean(x * x) - mx**2, mean(y * y) - my**2
        return ((2 * cov + 9e-4) / (vx + vy + 9e-4)).mean()

    sr = (hr + noise).astype(np.float32)
    x, y = sr[0, ..., 0].astype(float), hr[0, ..., 0]
    halves = [v.reshape(11, 2, 11, 2).mean((1, 3)) for v in (x, y)]
    last = 1 - float(ssim(*(jnp.asarray(v, jnp.float32)[None, ..., None] for v in halves)))
    w1, w2 = 0.0448 / 0.3304, 0.2856 / 0.3304
    want = 1 - maps(x, y) ** w1 * last**w2
    assert float(ms_ssim_2scales(sr, jnp.asarray(hr))) == pytest.approx(want, abs=1e-5)


def test_windows_that_do_not_fit():
    small = np.zeros((1, 32, 43, 3), np.float32)
    for loss, side in ((ms_ssim, 176), (ms_ssim_3scales, 44), (zhao_ms_ssim, 33), (mix_paper, 33)):
        with pytest.raises(InputError, match=rf"needs images of {side} pixels a side"):
            loss(small, small)
    with pytest.raises(InputError, match="ssim needs images of 11 pixels"):
        ssim(small[:, :10], small[:, :10])
