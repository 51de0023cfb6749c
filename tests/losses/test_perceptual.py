"""Perceptual losses against PyTorch's operations and gradients, and where they could break."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsr.errors import InputError
from jaxsr.losses.perceptual import by_own_mean, feature_loss, perceptual
from jaxsr.losses.pixel import mse
from jaxsr.losses.texture import gram_l1, texture
from jaxsr.vision import TRUNKS, weights

NOISE = np.random.default_rng(5)
HR: Any = NOISE.random((2, 32, 32, 3), np.float32)
SR: Any = np.clip(HR + NOISE.normal(0, 0.1, HR.shape), 0, 1).astype(np.float32)

# One program for each loss, whatever its parameters and images.
VALUE_AND_GRADS = jax.jit(
    lambda loss, sr, hr: jax.value_and_grad(lambda sr, hr: loss(sr, hr), (0, 1))(sr, hr)
)


@pytest.fixture(scope="module")
def random_losses():
    return {
        name: perceptual(f"vgg_random_{name}") for name in ("conv2_2", "relu2_2_mse", "enhancenet")
    }


@pytest.mark.parametrize("name", ["conv2_2", "relu2_2_mse", "enhancenet"])
def test_value_and_gradient_are_pytorchs(name, random_losses):
    """The value to 1e-5, the gradient to 1e-4 of its largest entry; none goes to HR."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.pytorch import perceptual as peer

    value, (grad, to_hr) = VALUE_AND_GRADS(random_losses[name], SR, HR)
    state = peer.state_dict(TRUNKS["vgg16"], weights.loaded("vgg_random"))
    sr = torch.tensor(SR.transpose(0, 3, 1, 2), requires_grad=True)
    hr = torch.tensor(HR.transpose(0, 3, 1, 2))
    x, y = peer.features("vgg16", state, sr), peer.features("vgg16", state, hr)
    if name == "enhancenet":
        want = sum(
            w
            * torch.mean(
                (x[i] / x[i].mean((1, 2, 3), True) - y[i] / y[i].mean((1, 2, 3), True)) ** 2
            )
            for i, w in ((9, 0.2), (30, 0.02))
        )
    elif name == "conv2_2":
        want = torch.mean(torch.abs(x[7] - y[7]))
    else:
        want = torch.mean((x[8] - y[8]) ** 2)
    want.backward()
    assert float(value) == pytest.approx(want.item(), rel=1e-5)
    wanted = sr.grad.numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(grad, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())
    assert not np.any(to_hr)


@pytest.mark.parametrize("name", ["conv2_2", "relu2_2_mse", "enhancenet"])
def test_finite_everywhere(name, random_losses):
    """Equal images give 0 and do not push; black and flat ones push finitely."""
    loss = random_losses[name]
    value, (grad, _) = VALUE_AND_GRADS(loss, HR, HR)
    assert float(value) == pytest.approx(0, abs=1e-12)  # two passes may round in two ways
    np.testing.assert_allclose(grad, 0, atol=1e-9)
    black = np.zeros_like(HR)
    for sr, hr in ((black, HR), (np.full_like(HR, 0.5), black), (black, black)):
        value, (grad, _) = VALUE_AND_GRADS(loss, sr, hr)
        assert np.isfinite(value)
        assert np.isfinite(grad).all()


def test_dead_features_have_a_finite_slope():
    """A layer whose ReLU lets nothing through has the mean 0."""
    params = dict(weights.loaded("vgg_random"))
    params["conv1_2/bias"] = jnp.full(64, -1e3)
    loss = feature_loss("vgg_random", {"pool1": 1.0}, mse, by_own_mean, params)
    value, (grad, _) = VALUE_AND_GRADS(loss, SR, HR)
    assert float(value) == 0
    assert not np.any(grad)


def test_bfloat16_images_are_compared_in_float32(random_losses):
    loss = random_losses["conv2_2"]
    sr, hr = jnp.asarray(SR, jnp.bfloat16), jnp.asarray(HR, jnp.bfloat16)
    value = jax.jit(lambda loss, sr, hr: loss(sr, hr))(loss, sr, hr)
    assert value.dtype == jnp.float32
    exact, _ = VALUE_AND_GRADS(loss, sr.astype(jnp.float32), hr.astype(jnp.float32))
    assert float(value) == pytest.approx(float(exact), rel=1e-6)


def test_numeric_gradient():
    """In float64, by differences of 1e-7, which hardly ever cross a kink of a ReLU."""
    with jax.enable_x64(True):
        loss = perceptual("vgg_random_relu1_2_mse")
        sr, hr = (jnp.asarray(x[:1, :6, :6], jnp.float64) for x in (SR, HR))
        check_grads(jax.jit(lambda sr: loss(sr, hr)), (sr,), 1, modes=["rev"], rtol=1e-5, eps=1e-7)


def test_texture_and_contextual_losses_of_features():
    """Each is its own loss of the features; EnhanceNet's needs maps of 16 and more."""
    trunk, params = TRUNKS["vgg_random"], weights.loaded("vgg_random")
    noise = np.random.default_rng(0)
    sr, hr = noise.random((2, 1, 64, 64, 3), np.float32)
    layers = {"relu1_1": 3e-7, "relu2_1": 1e-6, "relu3_1": 1e-6}

    @jax.jit
    def both(losses, params, sr, hr):
        x, y = (trunk(params, image, {*layers, "relu2_2"}) for image in (sr, hr))
        want = [
            sum(weight * texture(x[name], y[name]) for name, weight in layers.items()),
            gram_l1(x["relu2_2"], y["relu2_2"]),
        ]
        return [loss(sr, hr) for loss in losses], want

    losses = [perceptual(f"vgg_random_{name}") for name in ("texture", "relu2_2_gram")]
    got, want = both(losses, params, sr, hr)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert min(got) > 0
    perceptual("vgg_random_relu3_2_contextual")


def test_real_esrgans_layers():
    """The sum of five, with its weights."""
    loss = perceptual("vgg_random_realesrgan")
    layers = {"conv1_2": 0.1, "conv2_2": 0.1, "conv3_3": 1.0, "conv4_3": 1.0, "conv5_3": 1.0}
    trunk, params = TRUNKS["vgg_random"], weights.loaded("vgg_random")
    run = jax.jit(lambda p, x: trunk(p, x, tuple(layers)))
    x, y = run(params, SR), run(params, HR)
    want = sum(w * float(jnp.mean(jnp.abs(x[name] - y[name]))) for name, w in layers.items())
    got = jax.jit(lambda loss, sr, hr: loss(sr, hr))(loss, SR, HR)
    assert float(got) == pytest.approx(want, rel=1e-5)


def test_images_without_an_output_of_the_layer():
    """The mean of nothing would be NaN, which a run would take for divergence."""
    for name, side in (("conv5_3", 15), ("enhancenet", 31), ("relu5_3_contextual", 8)):
        image = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
        with pytest.raises(InputError, match=f"{side}x{side} pixels are too few for the layer"):
            jax.eval_shape(perceptual(f"vgg_random_{name}"), image, image)


def test_names(tmp_path, monkeypatch):
    """The longest network counts; what is missing or unknown is said in one line."""
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path))
    weights.loaded.cache_clear()
    with pytest.raises(InputError, match=r"the weights 'vgg19_caffe' are not on this machine"):
        perceptual("vgg19_caffe_relu5_4_mse")
    with pytest.raises(InputError, match="unknown loss 'vgg20_conv5_4'"):
        perceptual("vgg20_conv5_4")
    with pytest.raises(InputError, match=r"'vgg_random_conv5_4': .* no layer 'conv5_4'; did you"):
        perceptual("vgg_random_conv5_4")
    with pytest.raises(InputError, match="no layer 'realesrgn'; did you mean 'realesrgan'"):
        perceptual("vgg_random_realesrgn")
    with pytest.raises(InputError, match="alexnet has no layer 'texture'"):
        perceptual("alexnet_texture")
    with pytest.raises(InputError, match="unknown network 'vgg17'"):
        feature_loss("vgg17", {"conv1_1": 1.0})
