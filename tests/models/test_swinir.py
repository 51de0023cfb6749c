"""SwinIR against PyTorch operations, closed forms and its published sizes."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.interop.layouts.swinir import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.count import count_parameters
from jaxsr.models.swin import (
    SwinLayer,
    from_windows,
    layer_norm,
    position_index,
    shift_mask,
    to_windows,
)

LR: Any = np.random.default_rng(8).random((2, 7, 10, 3), np.float32)
(LAYOUT,) = LAYOUTS
SMALL = {"features": 8, "blocks": 2, "layers": 2, "heads": 2, "window": 4, "size": 16}
MEAN = [0.4488, 0.4371, 0.4040]


def make(name: str, **arguments: Any) -> Any:
    """`create_model`; as Any, because Flax types what `apply` returns as a union."""
    return create_model(name, **arguments)


def small(name: str = "swinir", scale: int = 2, **arguments: Any) -> Any:
    return make(name, scale=scale, **{**SMALL, **arguments})


@pytest.mark.parametrize(
    ("name", "scale", "arguments"),
    [
        ("swinir_light", 2, {}),
        ("swinir_light", 3, {"rgb_range": 255.0}),
        ("swinir_light", 4, {"mlp_ratio": 4.0}),
        ("swinir", 2, {"size": 4}),
        ("swinir", 3, {"layers": 3}),
        ("swinir", 4, {"window": 3, "size": 12}),
        ("swinir", 8, {"blocks": 1}),
        ("swinir", 2, {"reconstruction": "nearest"}),
        ("swinir", 4, {"reconstruction": "nearest", "convs": 3}),
    ],
)
def test_same_as_pytorch(same_as_pytorch, name, scale, arguments):
    from benchmarks.pytorch.swinir import swinir

    same_as_pytorch(small(name, scale, **arguments), LR, LAYOUT, swinir)


def test_the_benchmark_trains_what_is_no_constant(fake_params):
    """The file holds masks and indices beside the parameters."""
    pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from benchmarks.models import _prepare_torch

    model = small("swinir_light", blocks=1)
    hr = np.zeros((2, 14, 20, 3), np.float32)
    task = {"name": "swinir_light", "kind": "step"}
    step, _ = _prepare_torch(task, model, LR, hr, fake_params(model, LR))
    step()


@pytest.mark.parametrize(
    ("name", "scale", "args"),
    [
        *(("swinir_light", scale, {}) for scale in (2, 3, 4)),
        *(("swinir", scale, {"blocks": 1}) for scale in (2, 3, 4, 8)),
        ("swinir", 2, {"reconstruction": "nearest", "layers": 2, "size": 48}),
        ("swinir", 4, {"reconstruction": "nearest", "blocks": 2, "convs": 3, "features": 48}),
        ("swinir_light", 2, {"window": 4, "size": 4, "mlp_ratio": 4.0, "heads": 4}),
    ],
)
def test_recognised(fake_params, name, scale, args):
    model = make(name, scale=scale, **args)
    state = to_file(LAYOUT, model, fake_params(model, LR))
    found = LAYOUT.detect(state)
    assert found is not None
    assert (found.model, found.scales, found.args) == (name, (scale,), args)
    state["layers.0.residual_group.blocks.0.conv_block.cab.0.weight"] = np.zeros((2, 2, 3, 3))
    state["layers.0.residual_group.overlap_attn.qkv.weight"] = np.zeros((2, 2))
    assert LAYOUT.detect(state) is None  # HAT


def test_a_mask_of_another_size_is_told(fake_params):
    model = small("swinir_light")
    state = to_file(LAYOUT, model, fake_params(model, LR))
    with pytest.raises(InputError, match=r"blocks\.1\.attn_mask' is not SwinIR x2's constant"):
        from_file(LAYOUT, small("swinir_light", size=24), state, "the file")


def test_parameters_of_the_real_world_networks():
    """Medium and large, with position biases: those of the authors' modules."""
    medium = {"scale": 4, "reconstruction": "nearest"}
    large = medium | {"features": 240, "blocks": 9, "heads": 8, "convs": 3}
    assert count_parameters(make("swinir", **medium)) == 11_715_559
    assert count_parameters(make("swinir", **large)) == 28_013_059


def test_windows():
    x = np.arange(2 * 4 * 6 * 1).reshape(2, 4, 6, 1)
    windows = to_windows(jnp.asarray(x), 2)
    assert windows.shape == (12, 4, 1)
    np.testing.assert_array_equal(windows[1, :, 0], [2, 3, 8, 9])
    np.testing.assert_array_equal(from_windows(windows, 2, (4, 6)), x)


def test_position_index():
    """Query (1, 0) and key (0, 1) of windows of 2: offset (1, -1) of -1..1, row-major."""
    index = position_index(2)
    assert index[2, 1] == 2 * 3 + 0
    assert (np.diag(index) == 4).all() and sorted(set(index.flat)) == list(range(9))


@pytest.mark.parametrize("size", [(4, 4), (4, 12), (12, 8)])
def test_the_mask_keeps_pixels_apart_that_are_no_neighbours(size):
    """Two pixels of a shifted window see each other if the shift took neither around the border
    that it did not take the other around."""
    window, shift = 4, 2
    h, w = size
    y, x = np.mgrid[:h, :w]
    wrapped = np.stack([y >= h - shift, x >= w - shift], -1)  # in the shifted image
    tokens = np.asarray(to_windows(jnp.asarray(wrapped)[None], window))
    apart = (tokens[:, :, None] != tokens[:, None]).any(-1)
    mask = np.asarray(shift_mask(size, window, shift)).reshape(apart.shape)
    np.testing.assert_array_equal(mask, np.where(apart, -100.0, 0.0))


def test_attention_reaches_as_far_as_the_shifted_window(fake_params):
    """What a change of pixel (13, 13) changes, layer by layer."""
    model = small(blocks=1, size=16)
    x = np.random.default_rng(1).random((1, 24, 24, 3), np.float32)
    variables = fake_params(model, x)
    moved = x.copy()
    moved[0, 13, 13] += 1.0
    sr, other = jax.jit(jax.vmap(model.apply, (None, 0)))(variables, np.stack([x, moved]))
    changed = np.abs(sr - other).max((0, 3)) > 0
    # Head 12..14, windows 12..15, shifted windows 10..17, three convolutions 7..20, up-sampler
    # 6..21, which is 12..43 of the enlarged image, tail 11..44.
    for axis in (0, 1):
        assert np.flatnonzero(changed.any(axis))[[0, -1]].tolist() == [11, 44]


def test_layer_norm_far_from_zero():
    """Features with a mean of 300 deviations, by the definition in float64."""

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x):
            return layer_norm(x, "norm", None)

    x = np.random.default_rng(2).normal(300.0, 1.0, (1, 2, 2, 60)).astype(np.float32)
    model: Any = Layer()
    got = model.apply({"params": {"norm": {"scale": np.ones(60), "bias": np.zeros(60)}}}, x)
    far = x.astype(float) - x.mean(-1, keepdims=True, dtype=float)
    want = far / np.sqrt((far**2).mean(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(got, want, atol=1e-3)


def test_a_zero_tail_is_the_mean_colour(fake_params):
    for model, last in ((small(), "tail"), (small("swinir_light"), "upsample")):
        variables = fake_params(model, LR)
        variables["params"][last] = jax.tree.map(np.zeros_like, variables["params"][last])
        sr = jax.jit(model.apply)(variables, LR)
        np.testing.assert_allclose(sr, np.broadcast_to(MEAN, sr.shape), rtol=1e-6)


def test_padding_is_a_reflection_without_the_edge(fake_params):
    model = small("swinir_light")
    variables, apply = fake_params(model, LR), jax.jit(model.apply)
    padded = np.pad(LR, ((0, 0), (0, 1), (0, 2), (0, 0)), "reflect")
    want = apply(variables, padded)[:, :14, :20]
    np.testing.assert_allclose(apply(variables, LR), want, atol=1e-6)


def test_stochastic_depth(fake_params):
    """Dropped with certainty in training, the last layer is as if it were not there."""
    model = small("swinir_light", drop_path=1.0, blocks=1)
    variables = fake_params(model, LR)
    train = jax.jit(functools.partial(model.apply, train=True))
    got = train(variables, LR, rngs={"dropout": jax.random.key(0)})
    without = jax.tree.map(np.array, variables)
    layer = without["params"]["block0"]["layer1"]
    for branch in (layer["fc2"], layer["attention"]["proj"]):
        branch |= {name: np.zeros_like(value) for name, value in branch.items()}
    apply = jax.jit(model.apply)
    np.testing.assert_allclose(got, apply(without, LR), atol=1e-6)
    assert np.abs(got - apply(variables, LR)).max() > 1e-3


def test_initialisation():
    layer = SwinLayer(heads=2, window=4, hidden=128, shift=0)
    x = jnp.zeros((1, 4, 4, 64))
    params: Any = layer.init(jax.random.key(0, impl="rbg"), x)["params"]
    for kernel in (params["fc1"]["kernel"], params["attention"]["qkv"]["kernel"]):
        np.testing.assert_allclose(np.std(kernel), 0.02, rtol=0.05)
    assert not np.any(params["fc1"]["bias"]) and np.all(params["norm1"]["scale"] == 1)
