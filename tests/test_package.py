"""`import jaxsr`: its names, and how little it loads."""

import importlib
import json
import subprocess
import sys

import pytest

import jaxsr

HEAVY = (
    *("PIL", "array_record", "imagecodecs", "orbax", "scipy", "skimage", "tensorboardX"),
    *("tensorflow", "tensorflow_datasets", "tifffile", "torch", "tqdm"),
)


def loaded_by(code: str) -> set[str]:
    """The top-level modules in a fresh interpreter after `code`."""
    code += "\nimport json, sys\nprint(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_costs_nothing():
    assert not loaded_by("import jaxsr") & {*HEAVY, "jax", "flax", "optax", "numpy"}


def test_models_and_steps_need_jax_flax_and_optax_only():
    """What these three load themselves does not count: Flax brings Orbax where it finds it."""
    ours = loaded_by(
        "import jaxsr, jaxsr.training.optimizer, jaxsr.training.pairing, jaxsr.training.step\n"
        "from jaxsr.training.config import OptimizerConfig\n"
        "model = jaxsr.create_model('edsr_baseline', scale=2)\n"
        "jaxsr.training.step.make_train_step(\n"
        "    [model],\n"
        "    [jaxsr.training.pairing.make_pairing(\n"
        "        jaxsr.metrics.get_protocol('rgb'),\n"
        "        jaxsr.degradations.get_degradation('bicubic', 2),\n"
        "        2,\n"
        "    )],\n"
        "    jaxsr.training.optimizer.make_optimizer(OptimizerConfig(), 10),\n"
        "    jaxsr.losses.get_loss('l1'),\n"
        "    0.9,\n"
        ")"
    )
    assert {"jax", "flax", "optax"} <= ours
    theirs = loaded_by("import jax, jax.numpy, flax.linen, optax")
    assert not (ours - theirs) & set(HEAVY)


def test_a_training_script_loads_readers_and_writers_when_it_uses_them():
    theirs = loaded_by("import jax, jax.numpy, flax.linen, optax")
    assert not (loaded_by("import jaxsr.training.loop, jaxsr.cli.main") - theirs) & set(HEAVY)


@pytest.mark.parametrize("name", jaxsr.__all__)
def test_every_name_resolves(name):
    value = getattr(jaxsr, name)
    module = getattr(value, "__module__", None) or value.__name__
    assert module.startswith("jaxsr.")
    assert getattr(jaxsr, name) is value


def test_dir_and_unknown_names():
    assert dir(jaxsr) == sorted(jaxsr.__all__)
    with pytest.raises(AttributeError, match="'jaxsr' has no attribute 'upscael'"):
        _ = jaxsr.upscael  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ImportError):
        importlib.import_module("jaxsr.no_such_module")
