"""The networks of a run, read from its checkpoints: the generator, averaged or not, and the
discriminators."""

import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsr.errors import InputError
from jaxsr.models import create_model
from jaxsr.models.discriminators import create_discriminator
from jaxsr.training import restore
from jaxsr.training.adversarial_state import AdversarialState, Opponent
from jaxsr.training.checkpoint import Checkpoints
from jaxsr.training.restore import load_discriminator, load_model, read_spec
from jaxsr.training.state import TrainState
from tests.training.checkpoint_states import (
    CONFIG,
    assert_same,
    empty,
    spec_of,
    state_of,
    steps,
    truncate_arrays,
    write,
)


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> Path:
    """Checkpoints 1, 2 and 3 of a supervised run; never changed."""
    folder = tmp_path_factory.mktemp("three")
    write(folder, {1: 20.0, 2: 30.0, 3: 25.0})
    return folder


@pytest.fixture
def folder(three, tmp_path) -> Path:
    return Path(shutil.copytree(three, tmp_path / "a run 100%20#1" / "checkpoints"))


def test_model_of_a_run_is_the_average_of_the_best(folder):
    for place in (folder, folder.parent):  # the checkpoints folder, the workdir
        module, variables, spec = load_model(place)
        assert module == create_model("espcn", scale=2) and spec == spec_of(2)
        want = state_of(2)
        assert_same(variables, {"params": want.ema, "batch_stats": want.batch_stats})


def test_models_walk_on_and_leave_the_folder_alone(folder):
    truncate_arrays(folder / "2")
    empty(folder / "3")
    lines: list[str] = []
    _, variables, spec = load_model(folder, warn=lines.append)
    assert spec == spec_of(1) and len(lines) == 1 and str(folder / "2") in lines[0]
    assert_same(variables["params"], state_of(1).ema)
    assert read_spec(folder) == (spec_of(2), 2)
    assert steps(folder) == {"1", "2", "3"}


def test_model_without_average_scores_and_statistics(tmp_path):
    """The newest, with its own parameters, and it runs."""
    model = create_model("espcn", scale=2)
    x = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(1), x)["params"]
    noise = np.random.default_rng(1)
    params = jax.tree.map(lambda s: jnp.asarray(noise.normal(0, 0.1, s.shape), s.dtype), shapes)
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        for step, held in ((1, jax.tree.map(jnp.zeros_like, params)), (2, params)):
            state = {"params": held, "ema": {}, "batch_stats": {}}
            checkpoints.save(step, state, spec=spec_of(step))
    loaded, variables, spec = load_model(tmp_path)
    assert loaded == model and spec == spec_of(2)
    assert_same(variables, {"params": params})
    assert jax.eval_shape(loaded.apply, variables, x).shape == (1, 16, 16, 3)


@pytest.mark.parametrize("read", [read_spec, load_model])
def test_readers_refuse_folders_without_checkpoints(tmp_path, read):
    with pytest.raises(InputError, match="no such folder"):
        read(tmp_path / "missing")
    with pytest.raises(InputError, match="holds no checkpoint"):
        read(tmp_path)


def test_readers_refuse_a_run_without_a_whole_checkpoint(tmp_path):
    (tmp_path / "checkpoints" / "5").mkdir(parents=True)
    with pytest.raises(InputError, match="none is whole"):
        read_spec(tmp_path)
    lines: list[str] = []
    with pytest.raises(InputError, match="none is whole"):
        load_model(tmp_path, warn=lines.append)
    assert len(lines) == 1


# Adversarial runs.

IMAGE = {"model": "patchgan", "model_args": {"features": 2, "layers": 1}}
FEATURE = {"model": "patchgan", "model_args": {"features": 3, "layers": 1, "norm": "spectral"}}
ADVERSARIAL = {
    "image": IMAGE | {"on": "image", "weight": 1e-3},
    "feature": FEATURE | {"on": "vgg19_relu5_4", "weight": 1e-3},
}
X = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)


def adversarial_state(fake_params, step: int, names: tuple[str, ...]) -> AdversarialState:
    """Every array of it says by its numbers of which step it is."""
    optimizer = optax.adam(1e-3)

    def filled(tree: Any) -> Any:  # by NumPy, which compiles nothing
        return jax.tree.map(lambda x: jnp.asarray(np.asarray(x) + np.asarray(step, x.dtype)), tree)

    def trained(variables: Any) -> tuple[Any, Any, Any]:
        params, stats = variables["params"], variables.get("batch_stats", {})
        return filled(params), filled(stats), filled(optimizer.init(params))

    model = create_model("espcn", scale=2)
    params, stats, opt_state = trained(fake_params(model, X[..., :1]))
    generator = TrainState(
        step=jnp.int32(step),
        params=params,
        batch_stats=stats,
        opt_state=opt_state,
        ema=filled(params),
        rng=jax.random.key(step),
    )
    opponents = {}
    for name in names:
        entry = ADVERSARIAL[name]
        module = create_discriminator(entry["model"], **entry["model_args"])
        opponents[name] = Opponent(*trained(fake_params(module, X)))
    return AdversarialState(generator, opponents, {name: jnp.array([0.5, step]) for name in names})


@pytest.fixture(scope="module")
def adversarial(tmp_path_factory, fake_params) -> tuple[Path, dict[int, AdversarialState]]:
    """A run with two discriminators, its checkpoints 1 and 2; never changed."""
    workdir = tmp_path_factory.mktemp("adversarial")
    states = {step: adversarial_state(fake_params, step, ("image", "feature")) for step in (1, 2)}
    spec = {"config": CONFIG | {"adversarial": {"discriminators": ADVERSARIAL}}}
    with Checkpoints(workdir / "checkpoints") as checkpoints:
        for step, state in states.items():
            checkpoints.save(step, state, spec=spec | {"of": step})
    return workdir, states


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The names of the arrays that were read."""
    names: list[str] = []
    original = restore.read_arrays
    monkeypatch.setattr(restore, "read_arrays", lambda *a: names.extend(a[2]) or original(*a))
    return names


def test_both_players_come_back_bit_by_bit(adversarial):
    """With their optimisers, their statistics and the random key."""
    workdir, states = adversarial
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), states[1])
    found = Checkpoints(workdir / "checkpoints").restore(like)
    assert found is not None and found[2] == 2
    assert_same(found[0], states[2])


def test_the_generator_is_the_average_of_the_newest(adversarial, read):
    workdir, states = adversarial
    module, variables, spec = load_model(workdir)
    assert module == create_model("espcn", scale=2) and spec["of"] == 2
    assert_same(variables, {"params": states[2].generator.ema})
    assert {name.rsplit("/", 2)[0] for name in read} == {"generator/ema"}
    _, variables, _ = load_model(workdir, averaged=False)
    assert_same(variables, {"params": states[2].generator.params})
    sr = jax.jit(module.apply)(variables, X[..., :1])
    assert sr.shape == (1, 16, 16, 1)


def test_raw_parameters_of_a_supervised_run(folder):
    want = state_of(2)
    _, variables, _ = load_model(folder, averaged=False)
    assert_same(variables, {"params": want.params, "batch_stats": want.batch_stats})


def test_discriminators_by_name(adversarial, read):
    workdir, states = adversarial
    for name, entry in ADVERSARIAL.items():
        read.clear()
        module, variables, spec = load_discriminator(workdir, name)
        want = states[2].discriminators[name]
        assert_same(variables, {"params": want.params, "batch_stats": want.batch_stats})
        assert module == create_discriminator(entry["model"], **entry["model_args"])
        assert spec["discriminator"] == {k: entry[k] for k in ("model", "model_args", "on")}
        parts = {tuple(array.split("/")[:3]) for array in read}
        assert parts == {
            ("discriminators", name, "params"),
            ("discriminators", name, "batch_stats"),
        }
        # The variables are all that the module needs.
        logits = jax.eval_shape(module.apply, variables, X)
        assert logits.shape == (1, 2, 2, 1)


def test_a_broken_newest_one_is_passed_over(adversarial, tmp_path):
    workdir = Path(shutil.copytree(adversarial[0], tmp_path / "run"))
    truncate_arrays(workdir / "checkpoints" / "2")
    lines: list[str] = []
    assert load_discriminator(workdir, "image", warn=lines.append)[2]["of"] == 1
    assert load_model(workdir, warn=lines.append)[2]["of"] == 1
    assert len(lines) == 2


def test_discriminators_that_are_not_there(adversarial, folder):
    workdir, _ = adversarial
    with pytest.raises(InputError, match="several discriminators; name one: image, feature"):
        load_discriminator(workdir)
    with pytest.raises(InputError, match=r"no discriminator 'imag'; did you mean 'image'\?"):
        load_discriminator(workdir, "imag")
    with pytest.raises(InputError, match="holds no discriminator: it is a run without any"):
        load_discriminator(folder)


def test_a_run_in_its_first_stage_says_where_to_look(tmp_path, three):
    shutil.copytree(three, tmp_path / "psnr" / "checkpoints")
    (tmp_path / "checkpoints").mkdir()
    for read in (load_model, load_discriminator, read_spec):
        with pytest.raises(InputError) as raised:
            read(tmp_path)
        assert str(raised.value) == (
            f"{tmp_path} has no checkpoint yet; its first stage has: {tmp_path / 'psnr'}"
        )
    assert load_model(tmp_path / "psnr")[2] == spec_of(2)
