"""Discriminators in files: what was written comes back; nothing else passes for one."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.discriminators import load_discriminator_file, save_discriminator
from jaxsr.interop.files import write_state
from jaxsr.models.discriminators import create_discriminator

ARGS = {"features": 2, "layers": 1, "norm": "spectral"}
SAID = {"model": "patchgan", "model_args": ARGS, "on": "image"}
NAMED = {"discriminator": "patchgan", "args": ARGS, "on": "image"}
X = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)


@pytest.mark.parametrize("name", ["d.safetensors", "d.npz"])
def test_the_same_logits_there_and_back(tmp_path, fake_params, name):
    """Bit by bit, with the vectors of the spectral norms."""
    module = create_discriminator("patchgan", **ARGS)
    variables = jax.tree.map(jnp.asarray, fake_params(module, X))
    assert set(variables) == {"params", "batch_stats"}
    save_discriminator(tmp_path / name, variables, {"discriminator": SAID})
    loaded, got, spec = load_discriminator_file(tmp_path / name)
    assert loaded == module and spec == {"discriminator": SAID}
    np.testing.assert_array_equal(loaded.apply(got, X), module.apply(variables, X))


def refused(path, match):
    with pytest.raises(InputError, match=match) as raised:
        load_discriminator_file(path)
    message = str(raised.value)
    assert str(path) in message and message.isprintable() and len(message) < 700


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "3", "[" * 10**5, "{}", '{"model": "edsr", "scales": [2], "args": {}}'],
    ids=lambda text: text[:20],
)
def test_metadata_of_no_discriminator(tmp_path, text):
    write_state(tmp_path / "d.npz", {"params/a": np.zeros(1, np.float32)}, {"jaxsr": text})
    refused(tmp_path / "d.npz", "does not say which discriminator")
    write_state(tmp_path / "d.npz", {"params/a": np.zeros(1, np.float32)}, {})
    refused(tmp_path / "d.npz", "does not say which discriminator")


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"discriminator": "patchgam"}, "unknown discriminator 'patchgam'; did you mean"),
        ({"discriminator": "a\nb\x1b[31m"}, "does not say which"),
        ({"discriminator": "x" * 10**5}, "unknown discriminator 'xxx"),
        ({"discriminator": ["patchgan"]}, "unknown discriminator"),
        ({"args": {"depth": 3}}, "cannot build discriminator patchgan"),
        ({"args": {"a\nb": 3}}, "does not say which"),
        ({"args": {"parent": "x"}}, "there is no discriminator patchgan of parent 'x'"),
        ({"args": 3}, "does not say which"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_metadata_that_ask_for_nonsense(tmp_path, said, match):
    text = json.dumps(NAMED | said)
    write_state(tmp_path / "d.npz", {"params/a": np.zeros(1, np.float32)}, {"jaxsr": text})
    refused(tmp_path / "d.npz", match)


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ({"conv0/kernel": np.zeros(1, np.float32)}, "'conv0/kernel' is no tensor of a discr"),
        ({"params": np.zeros(1, np.float32)}, "'params' is no tensor of a discriminator"),
        ({"batch_stats/a": np.zeros(1, np.float32)}, "has no parameters of a discriminator"),
        ({"params/a": np.full(1, np.nan, np.float32)}, "'params/a' is not float32 and finite"),
        ({"params/a": np.zeros(1, np.int32)}, "'params/a' is not float32 and finite"),
        (
            {"params/a/b": np.zeros(1, np.float32), "params/a": np.zeros(1, np.float32)},
            "'params/a' is a tensor and holds others",
        ),
    ],
    ids=lambda value: "-".join(value)[:30] if isinstance(value, dict) else "",
)
def test_tensors_of_no_discriminator(tmp_path, state, match):
    write_state(tmp_path / "d.safetensors", state, {"jaxsr": json.dumps(NAMED)})
    refused(tmp_path / "d.safetensors", match)
