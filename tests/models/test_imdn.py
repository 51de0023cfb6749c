"""IMDN and its AIM 2019 variant against plain PyTorch operations and the public weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.interop.layouts.imdn import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters
from jaxsr.models.imdn import ContrastAttention

AUTHORS, KAIR = LAYOUTS
LR = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
SMALL = {"blocks": 2, "features": 16}
AIM = {"blocks": 3, "features": 8, "variant": "aim2019"}


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.imdn import imdn

    same_as_pytorch(create_model("imdn", scale=scale, **SMALL), LR, AUTHORS, imdn)


def test_as_same_as_pytorch(same_as_pytorch):
    from benchmarks.pytorch.imdn import imdn

    lr = np.random.default_rng(8).random((1, 8, 12, 3), np.float32)
    same_as_pytorch(create_model("imdn", scale=1, **SMALL), lr, AUTHORS, imdn)


def test_as_of_odd_sizes(fake_params):
    """The border is continued to multiples of 4."""
    model = create_model("imdn", scale=1, **SMALL)
    variables = fake_params(model, LR)
    whole = model.apply(variables, np.pad(LR, ((0, 0), (0, 3), (0, 1), (0, 0)), "edge"))
    np.testing.assert_allclose(model.apply(variables, LR), whole[:, :5, :7], atol=1e-5)


@pytest.mark.parametrize("args", [{}, SMALL])
def test_as_is_recognised(fake_params, args):
    model = create_model("imdn", scale=1, **args)
    found = AUTHORS.detect(to_file(AUTHORS, model, fake_params(model, LR)))
    assert (found.model, found.scales, found.args) == ("imdn", (1,), args)


@pytest.mark.parametrize("scale", [2, 3])
def test_aim_variant_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.imdn import aim2019

    same_as_pytorch(create_model("imdn", scale=scale, **AIM), LR, KAIR, aim2019)


def test_size_of_the_aim_variant():
    model = create_model("imdn", scale=4, blocks=8, variant="aim2019")
    assert count_parameters(model) == 893_936


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    ("layout", "args"), [(AUTHORS, SMALL), (AUTHORS, {}), (KAIR, AIM)], ids=["small", "full", "aim"]
)
def test_recognised(fake_params, scale, layout, args):
    model = create_model("imdn", scale=scale, **args)
    state = to_file(layout, model, fake_params(model, LR))
    found = layout.detect(state)
    assert (found.model, found.scales, found.args) == ("imdn", (scale,), args)
    (other,) = set(LAYOUTS) - {layout}
    assert other.detect(state) is None


def test_attention_of_constant_channels(fake_params):
    """Without contrast it sees the mean alone, and its gradient is finite."""
    x = jnp.full((1, 4, 4, 16), 0.5)
    attention = ContrastAttention()
    variables = fake_params(attention, x)
    p = variables["params"]
    hidden = np.maximum(0.5 * p["squeeze"]["kernel"].sum((0, 1, 2)) + p["squeeze"]["bias"], 0)
    logit = hidden @ p["excite"]["kernel"][0, 0] + p["excite"]["bias"]
    want = 0.5 / (1 + np.exp(-logit))
    np.testing.assert_allclose(attention.apply(variables, x)[0, 0, 0], want, rtol=1e-5)
    gradient = jax.jit(jax.grad(lambda x: attention.apply(variables, x).sum()))(x)
    assert np.isfinite(gradient).all()


def test_attention_statistics_are_float32(fake_params):
    """In bfloat16, 256 + 1 is 256: the sum of many ones would stop there."""
    x = jnp.ones((1, 40, 40, 16))
    attention = ContrastAttention()
    variables = fake_params(attention, x)
    low = attention.apply(variables, x.astype(jnp.bfloat16))
    assert low.dtype == jnp.bfloat16
    want = attention.apply(variables, x)
    np.testing.assert_allclose(low.astype(jnp.float32), want, rtol=2**-7)


def test_public_weights(reference):
    """The file has no golden values: the same file in PyTorch's operations gives them."""
    torch = pytest.importorskip("torch")
    from benchmarks.pytorch.imdn import imdn
    from jaxsr.interop.files import read_state

    state, _ = read_state(reference / "weights" / "imdn_x4.pth")
    found = AUTHORS.detect(state)
    assert (found.model, found.scales, found.args) == ("imdn", (4,), {})
    model = create_model("imdn", scale=4)
    variables = from_file(AUTHORS, model, state, "imdn_x4.pth")
    x = np.load(reference / "weights" / "golden" / "pan_x4.npz")["x"]
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in state.items()}
    with torch.no_grad():
        want = imdn(tensors, torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), model)
    sr = jax.jit(model.apply)(variables, x)
    np.testing.assert_allclose(sr, want.numpy().transpose(0, 2, 3, 1), rtol=0, atol=1e-4)
