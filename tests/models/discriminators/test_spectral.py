"""The spectrally normalised convolution against PyTorch's, and against singular values."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.discriminators.spectral import SpectralConv

X: Any = np.random.default_rng(3).random((2, 6, 6, 5), np.float32)
KEY = jax.random.key(0, impl="rbg")


def layer(**fields: Any) -> Any:
    return SpectralConv(7, 4, stride=2, **fields)


def matrix(kernel: Any) -> np.ndarray:
    return np.asarray(kernel).transpose(3, 2, 0, 1).reshape(kernel.shape[-1], -1)


@pytest.fixture(scope="module")
def started() -> Any:
    return layer(bias=True).init(KEY, X)


def test_same_as_pytorch(started):
    """Results, u and v over three calls in training mode and one not; gradients of the last."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    params, stats = started["params"], started["batch_stats"]
    peer = torch.nn.Conv2d(5, 7, 4, 2, 1)
    peer = torch.nn.utils.spectral_norm(peer)
    noise = np.random.default_rng(1)
    # PyTorch's own start: anything of unit length, before the first training call.
    stats = {name: noise.normal(size=value.shape) for name, value in stats.items()}
    stats = {name: np.float32(v / np.linalg.norm(v)) for name, v in stats.items()}
    kernel = np.array(params["kernel"]).transpose(3, 2, 0, 1).copy()
    state = {
        "weight_orig": torch.from_numpy(kernel),
        "weight_u": torch.from_numpy(stats["u"].copy()),
        "weight_v": torch.from_numpy(stats["v"].copy()),
        "bias": torch.from_numpy(np.array(params["bias"])),
    }
    peer.load_state_dict(state)
    model = layer(bias=True)

    @jax.jit
    def train(params: Any, stats: Any) -> Any:
        def objective(params: Any) -> Any:
            variables = {"params": params, "batch_stats": stats}
            y, changed = model.apply(variables, X, True, mutable=["batch_stats"])
            return jnp.sum(y**2), (y, changed["batch_stats"])

        return jax.grad(objective, has_aux=True)(params)

    x = torch.from_numpy(X.transpose(0, 3, 1, 2).copy())
    grads: Any = None
    for _ in range(3):
        grads, (y, stats) = train(params, stats)
        want = peer(x)
        np.testing.assert_allclose(y, want.detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)
        np.testing.assert_allclose(stats["u"], peer.weight_u.numpy(), atol=1e-5)
        np.testing.assert_allclose(stats["v"], peer.weight_v.numpy(), atol=1e-5)
        peer.zero_grad()
        want.square().sum().backward()
    want_grad: Any = peer.weight_orig.grad
    got = np.asarray(grads["kernel"])
    np.testing.assert_allclose(got, want_grad.numpy().transpose(2, 3, 1, 0), rtol=1e-4, atol=1e-4)
    peer.eval()
    y = model.apply({"params": params, "batch_stats": stats}, X)
    np.testing.assert_allclose(y, peer(x).detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_converges_to_the_largest_singular_value(started):
    """Each call in training mode multiplies the error's ratio of singular values in; u^T W v
    approaches from below."""
    model, x = layer(bias=True), jnp.zeros((1, 4, 4, 5))
    w = matrix(started["params"]["kernel"])
    top = np.linalg.svd(w, compute_uv=False)[0]
    variables, sigmas = started, []
    for _ in range(60):
        changed = model.apply(variables, x, True, mutable=["batch_stats"])[1]
        variables = started | changed
        u, v = (np.asarray(changed["batch_stats"][name]) for name in "uv")
        sigmas.append(u @ w @ v)
    assert np.all(np.diff(sigmas) > -1e-6)
    assert sigmas[-1] == pytest.approx(top, rel=1e-4)


def test_starts_near_it(started):
    w = matrix(started["params"]["kernel"])
    u, v = (np.asarray(started["batch_stats"][name]) for name in "uv")
    assert u.shape == (7,) and v.shape == (80,)
    assert np.linalg.norm(u) == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(v) == pytest.approx(1, abs=1e-6)
    assert 0.9 < u @ w @ v / np.linalg.svd(w, compute_uv=False)[0] <= 1 + 1e-6


def test_the_size_of_the_kernel_does_not_matter(started):
    model = layer(bias=True)
    params = started["params"]
    larger = started | {"params": params | {"kernel": 8 * params["kernel"]}}
    np.testing.assert_allclose(model.apply(larger, X), model.apply(started, X), atol=1e-6)


def test_low_precision_keeps_float32_vectors(started):
    y, changed = jax.eval_shape(
        lambda v: layer(bias=True, dtype=jnp.bfloat16).apply(v, X, True, mutable=["batch_stats"]),
        started,
    )
    assert y.dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(changed)} == {jnp.dtype(jnp.float32)}
