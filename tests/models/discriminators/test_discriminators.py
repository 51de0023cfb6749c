"""Every registered discriminator by its contract; parameters as published or summed over layers."""

from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.core.scope import Scope

from jaxsr.errors import InputError
from jaxsr.models.discriminators import DISCRIMINATORS, create_discriminator

KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default
COUNTS = [  # name, fields, input, parameters
    ("srgan", {}, (96, 96, 3), 23_563_649),
    ("srgan", {"bias": True}, (96, 96, 3), 23_565_505),
    ("enhancenet", {}, (128, 128, 3), 13_102_881),
    ("srfeat_image", {}, (296, 296, 3), 193_959_105),
    ("srfeat_feature", {}, (19, 19, 512), 7_081_473),
    ("vgg_style", {}, (128, 128, 3), 14_499_401),
    ("vgg_style", {"stages": 6}, (256, 256, 3), 21_055_049),
    ("unet", {}, (256, 256, 3), 4_376_897),
    ("patchgan", {}, (256, 256, 3), 2_765_633),
    ("patchgan", {"norm": "spectral"}, (256, 256, 3), 2_764_737),
]
MAPS = {"unet": (32, 32), "patchgan": (2, 2)}  # logits of 32x32 pixels
DENSE = [name for name in DISCRIMINATORS if name not in MAPS]


def tiny(name: str, **fields: Any) -> Any:
    dense = {"dense": 6} if name in DENSE else {}
    return create_discriminator(name, features=4, **dense | fields)


def spec(name: str, batch: int = 2) -> Any:
    shape = (2, 2, 512) if DISCRIMINATORS[name].judges == "features" else (32, 32, 3)
    return jax.ShapeDtypeStruct((batch, *shape), jnp.float32)


def shapes(model: Any, x: Any) -> Any:
    return jax.eval_shape(model.init, KEY, x)


@pytest.mark.parametrize(("name", "fields", "shape", "parameters"), COUNTS)
def test_parameters(name, fields, shape, parameters):
    x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    params = shapes(create_discriminator(name, **fields), x)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == parameters


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("dtype", [None, jnp.bfloat16])
def test_logits_and_variables_are_float32(name, train, dtype):
    model, x = tiny(name, dtype=dtype), spec(name)
    variables = shapes(model, x)
    logits, changed = jax.eval_shape(
        lambda v, x: model.apply(v, x, train, mutable=["batch_stats"]), variables, x
    )
    assert logits.shape == (2, *MAPS.get(name, ()), 1) and logits.dtype == jnp.float32
    leaves = jax.tree.leaves((variables, changed))
    assert {leaf.dtype for leaf in leaves} == {jnp.dtype(jnp.float32)}
    assert set(variables) <= {"params", "batch_stats"}


@pytest.mark.parametrize("name", ["vgg_style", "patchgan"])
def test_low_precision_is_near(name, fake_params):
    """bfloat16 has 8 bits: some percent after ten layers."""
    x = np.random.default_rng(0).random(spec(name).shape, np.float32)
    variables = fake_params(tiny(name), x)
    exact, low = (jax.jit(tiny(name, dtype=t).apply)(variables, x) for t in (None, jnp.bfloat16))
    assert not np.array_equal(exact, low)
    np.testing.assert_allclose(low, exact, atol=0.1 * np.abs(exact).max())


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_statistics_change_in_training_alone(norm, fake_params):
    model, x = tiny("patchgan", norm=norm), np.random.default_rng(0).random((2, 32, 32, 3))
    x = x.astype(np.float32)
    variables = fake_params(model, x)
    for train in (False, True):
        changed = model.apply(variables, x, train, mutable=["batch_stats"])[1]["batch_stats"]
        same = jax.tree.leaves(jax.tree.map(np.array_equal, variables["batch_stats"], changed))
        assert not any(same) if train else all(same)


def test_real_and_fake_apart_are_not_one_batch(fake_params):
    """Batch norm sees each batch by itself: dark fakes among bright images would be told apart
    by the shared mean alone."""
    model, noise = tiny("srgan"), np.random.default_rng(0)
    real = noise.random((2, 32, 32, 3), np.float32)
    fake = real / 4
    variables = fake_params(model, real)

    @jax.jit
    def logits(x: Any, batch_stats: Any) -> Any:
        return model.apply(
            variables | {"batch_stats": batch_stats}, x, True, mutable=["batch_stats"]
        )

    on_real, stats = logits(real, variables["batch_stats"])
    on_fake, stats = logits(fake, stats["batch_stats"])
    joint, joint_stats = logits(np.concatenate([real, fake]), variables["batch_stats"])
    apart = np.concatenate([on_real, on_fake])
    assert np.abs(apart - joint).max() > 0.01 * np.abs(joint).max()
    var = [s["batch_stats"]["bn2"]["var"] for s in (stats, joint_stats)]
    assert np.abs(var[0] - var[1]).max() > 1e-3


def start(name: str, layers: list[str]) -> dict[str, dict[str, np.ndarray]]:
    """The parameters of these layers as they start, without making those of the others."""
    found: dict[str, dict[str, np.ndarray]] = {layer: {} for layer in layers}

    def param(scope: Scope, leaf: str, init: Any, *args: Any, **kwargs: Any) -> Any:
        del kwargs
        layer = "/".join(scope.path)
        if layer in found:
            with jax.ensure_compile_time_eval():
                found[layer][leaf] = np.asarray(init(KEY, *args))
        return jnp.zeros(args[0])

    x = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    with mock.patch.object(Scope, "param", param):
        jax.eval_shape(create_discriminator(name).init, KEY, x)
    return found


@pytest.mark.parametrize(
    ("name", "layer", "deviation"),
    [
        ("enhancenet", "conv1_1", (2 / (9 * (64 + 64))) ** 0.5),  # Xavier
        ("srfeat_image", "conv2", (2 / (9 * 64)) ** 0.5),  # He
        ("patchgan", "conv1", 0.02),
    ],
)
def test_kernels_of_a_given_deviation(name, layer, deviation):
    """Of 36,864 values and more: to 2 %. Biases start at zero."""
    end = "conv4" if name == "patchgan" else "logit"
    found = start(name, [layer, end])
    assert found[layer]["kernel"].std() == pytest.approx(deviation, rel=0.02)
    assert not np.any(found[end]["bias"])


@pytest.mark.parametrize(
    ("name", "layer", "fan_in"),
    [
        ("srgan", "conv2", 9 * 64),
        ("srgan", "logit", 1024),
        ("vgg_style", "conv1_0", 9 * 64),
        ("unet", "conv0", 27),
        ("unet", "conv7", 9 * 64),
    ],
)
def test_kernels_and_biases_of_pytorch(name, layer, fan_in):
    """Uniform within +-1/sqrt(fan_in)."""
    found = start(name, [layer])[layer]
    assert 0.95 * fan_in**-0.5 < np.abs(found["kernel"]).max() <= fan_in**-0.5
    deviation = (3 * fan_in) ** -0.5
    assert found["kernel"].std() == pytest.approx(deviation, rel=0.05)
    if "bias" in found:
        assert 0 < np.abs(found["bias"]).max() <= fan_in**-0.5


def test_scales_of_patchgan():
    scale = start("patchgan", ["bn3"])["bn3"]["scale"]  # 512
    assert scale.mean() == pytest.approx(1, abs=0.004)
    assert scale.std() == pytest.approx(0.02, rel=0.15)


def test_unknown_names_and_arguments():
    with pytest.raises(InputError, match=r"unknown discriminator 'patch_gan'.*'patchgan'"):
        create_discriminator("patch_gan")
    with pytest.raises(InputError, match=r"cannot build discriminator unet.*'widht'"):
        create_discriminator("unet", widht=4)
    with pytest.raises(InputError, match="no norm 'instance'"):
        shapes(create_discriminator("patchgan", norm="instance"), spec("patchgan"))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("unet", (32, 36, 3), "multiples of 8, not 32x36"),
        ("unet", (0, 8, 3), "multiples of 8, not 0x8"),
        ("vgg_style", (32, 31, 3), "at least 32x32 pixels, not 32x31"),
        ("patchgan", (23, 32, 3), "at least 24x24 pixels, not 23x32"),
        ("enhancenet", (32, 32, 1), "takes RGB, not 1 channels"),
    ],
)
def test_sizes_that_cannot_work(name, shape, message):
    with pytest.raises(InputError, match=message):
        shapes(tiny(name), jax.ShapeDtypeStruct((1, *shape), jnp.float32))


@pytest.mark.parametrize("name", MAPS)
def test_maps_take_any_size(name):
    model = tiny(name)
    larger = jax.ShapeDtypeStruct((1, 40, 64, 3), jnp.float32)
    logits = jax.eval_shape(model.apply, shapes(model, spec(name)), larger)
    assert logits.shape == {"unet": (1, 40, 64, 1), "patchgan": (1, 3, 6, 1)}[name]


@pytest.mark.parametrize("name", DENSE)
def test_dense_layers_keep_the_size_of_the_first_input(name):
    model, first = tiny(name), spec(name)
    other = jax.ShapeDtypeStruct((1, 96, 96, first.shape[-1]), jnp.float32)
    with pytest.raises(InputError, match=r"does not fit \dx\d features of \d+ channels"):
        jax.eval_shape(model.apply, shapes(model, first), other)


def test_documented():
    text = (Path(__file__).parents[3] / "docs" / "discriminators.md").read_text()
    rows = {row.split("`")[1]: row for row in text.splitlines() if row.startswith("| `")}
    assert list(rows) == list(DISCRIMINATORS)
    for name, card in DISCRIMINATORS.items():
        assert card.url in rows[name] and str(card.year) in rows[name], name
        assert card.sides in rows[name], name
    for name, _, _, parameters in COUNTS:
        assert f"{parameters:,}" in text, name
