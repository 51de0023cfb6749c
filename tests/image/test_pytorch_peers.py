"""What the benchmarks' peers do is what jaxsr does: they are compared by their speed."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.image import psf
from jaxsr.image.filters import blur, unsharp_mask
from jaxsr.image.resize import imresize

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
from benchmarks.pytorch import realesrgan  # noqa: E402
from benchmarks.pytorch.imresize import imresize as numpy_imresize  # noqa: E402


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth and noisy parts, float32 [60, 52, 3]: beyond the sharpening's 25 pixels."""
    y, x, c = np.mgrid[:60, :52, :3]
    waves = 0.5 + 0.4 * np.sin(0.02 * x * y + c)
    return np.clip(waves + np.random.default_rng(0).normal(0, 0.1, waves.shape), 0, 1).astype("f4")


def to_torch(x: np.ndarray) -> Any:
    return torch.from_numpy(np.moveaxis(x, -1, 0)[None].copy())


def to_numpy(x: Any) -> np.ndarray:
    return np.moveaxis(x[0].numpy(), 0, -1)


@pytest.mark.parametrize("scale", [1 / 4, 1.5])
def test_imresize(picture: np.ndarray, scale: float) -> None:
    want = imresize(picture, scale)
    np.testing.assert_allclose(numpy_imresize(picture, scale), want, rtol=0, atol=1e-6)


def test_sharpening(picture: np.ndarray) -> None:
    got = to_numpy(realesrgan.sharpened(to_torch(picture)))
    want = np.asarray(jax.jit(unsharp_mask)(picture))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


def test_blur(picture: np.ndarray) -> None:
    kernel = np.asarray(psf.gaussian(21, 2.0, 0.7, 0.6))
    got = to_numpy(realesrgan.filtered(to_torch(picture), torch.from_numpy(kernel.copy())[None]))
    np.testing.assert_allclose(got, jax.jit(blur)(picture, kernel), rtol=0, atol=1e-6)


def test_kernels_and_degradation(picture: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    drawn = [realesrgan.draw_kernels(rng) for _ in range(2)]
    for kernel in (k for kernels in drawn for k in kernels):
        assert kernel.shape == (21, 21)
        np.testing.assert_allclose(kernel.sum(), 1, rtol=0, atol=1e-5)
    kernels = [torch.from_numpy(np.stack(k)) for k in zip(*drawn, strict=True)]
    torch.manual_seed(0)
    hr = to_torch(picture).expand(2, 3, 60, 52)
    for _ in range(4):  # both last orders, both kinds of noise
        levels = realesrgan.degrade(hr, *kernels).numpy() * 255
        assert levels.shape == (2, 3, 15, 13)
        np.testing.assert_allclose(levels, np.round(levels), rtol=0, atol=1e-3)
