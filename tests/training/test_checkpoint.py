"""Checkpoints: what was saved comes back bit by bit, whatever happens to the files or the process.

The states are filled from their step, so that a restored state tells by itself which one it is.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsr.errors import InputError
from jaxsr.models import create_model
from jaxsr.training.checkpoint import Checkpoints, load_model, read_spec

ROOT = Path(__file__).parents[2]

# Reads that fail must not leave tracebacks of threads or of unawaited coroutines behind.
pytestmark = pytest.mark.filterwarnings(
    "error::pytest.PytestUnraisableExceptionWarning",
    "error::pytest.PytestUnhandledThreadExceptionWarning",
)

CONFIG = {"model": "espcn", "scale": 2, "model_args": {}}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    step: jax.Array
    params: dict
    batch_stats: dict
    opt_state: Any
    ema: dict
    rng: jax.Array


@cache
def state_of(step: int) -> State:
    noise = np.random.default_rng(step)
    params = {
        "conv1": {
            "kernel": jnp.asarray(noise.standard_normal((3, 3, 1, 64)), jnp.float32),
            "bias": jnp.asarray(noise.standard_normal(64), jnp.bfloat16),
        }
    }
    optimiser = optax.chain(optax.clip(1.0), optax.adam(optax.constant_schedule(1e-3)))
    _, opt_state = optimiser.update(params, optimiser.init(params))
    return State(
        step=jnp.int32(step),
        params=params,
        batch_stats={"bn": {"mean": jnp.full(4, step, jnp.float32)}},
        opt_state=opt_state,
        ema=jax.tree.map(lambda x: x + 1, params),
        rng=jax.random.key(step),
    )


def spec_of(step: int) -> dict:
    return {"of": step, "config": CONFIG}


def assert_same(got: Any, want: Any) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for x, y in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert x.dtype == y.dtype
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        assert x.shape == y.shape
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def write(folder: Path, scores: dict[int, float | None]) -> None:
    with Checkpoints(folder, keep_latest=9) as checkpoints:
        for step, score in scores.items():
            metrics = None if score is None else {"psnr": score}
            checkpoints.save(step, state_of(step), spec=spec_of(step), metrics=metrics)


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> Path:
    """Checkpoints 1, 2 and 3; never changed."""
    folder = tmp_path_factory.mktemp("three")
    write(folder, {1: 20.0, 2: 30.0, 3: 25.0})
    return folder


@pytest.fixture
def folder(three, tmp_path) -> Path:
    return Path(shutil.copytree(three, tmp_path / "a run 100%20#1" / "checkpoints"))


def restore(folder: Path) -> tuple[State, dict, int, list[str]]:
    lines: list[str] = []
    with Checkpoints(folder) as checkpoints:
        found = checkpoints.restore(state_of(0), warn=lines.append)
    assert found is not None
    return *found, lines


def steps(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def files(step_folder: Path) -> list[Path]:
    return sorted(path for path in step_folder.rglob("*") if path.is_file())


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


# Whole checkpoints.


def test_the_newest_comes_back_bit_by_bit_with_its_types(folder):
    state, spec, step, lines = restore(folder)
    assert (spec, step, lines) == (spec_of(3), 3, [])
    assert_same(state, state_of(3))


def test_restores_to_shapes_without_arrays(folder):
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), state_of(0))
    found = Checkpoints(folder).restore(like)
    assert found is not None
    assert_same(found[0], state_of(3))


def test_empty_folder_holds_nothing(tmp_path):
    assert Checkpoints(tmp_path / "new").restore(state_of(0)) is None


def test_arrays_may_be_donated_right_after_save(tmp_path):
    overwrite = jax.jit(lambda x: x * 0 - 1, donate_argnums=0)
    x = jnp.arange(100_000, dtype=jnp.float32)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": x}, spec={})
        overwrite(x).block_until_ready()
        found = checkpoints.restore({"x": jax.ShapeDtypeStruct((100_000,), jnp.float32)})
    assert found is not None
    np.testing.assert_array_equal(found[0]["x"], np.arange(100_000, dtype=np.float32))


def test_a_donated_state_is_a_description_and_a_restored_one_may_be_donated(folder):
    like = jax.tree.map(jnp.copy, state_of(1))
    advance = jax.jit(lambda state: replace(state, step=state.step + 1), donate_argnums=0)
    jax.block_until_ready(advance(like))
    assert like.rng.is_deleted()
    found = Checkpoints(folder).restore(like)
    assert found is not None
    assert_same(advance(found[0]), replace(state_of(3), step=jnp.int32(4)))


def test_spec_is_that_of_the_moment_of_saving(tmp_path):
    spec = {"config": {"lr": 1e-4, "sizes": (1, 2)}}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": jnp.ones(2)}, spec=spec)
        spec["config"]["lr"] = 5.0
    assert read_spec(tmp_path) == ({"config": {"lr": 1e-4, "sizes": [1, 2]}}, 1)


def test_orbax_is_silent_at_info(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write(tmp_path, {1: None})
    restore(tmp_path)
    assert [record.getMessage() for record in caplog.records if record.name == "absl"] == []


# Broken checkpoints.


def test_a_flipped_byte_of_an_array_is_noticed(tmp_path):
    # Noise does not compress: its bytes stand in a file as they are.
    noise = {
        step: np.random.default_rng(step).integers(0, 256, 50_000, np.uint8) for step in (1, 2)
    }
    with Checkpoints(tmp_path / "whole") as checkpoints:
        for step, x in noise.items():
            checkpoints.save(step, {"x": jnp.asarray(x)}, spec={})
    for place in (0, 20_000, 49_999):
        folder = Path(shutil.copytree(tmp_path / "whole", tmp_path / str(place)))
        holders = [path for path in files(folder / "2") if noise[2].tobytes() in path.read_bytes()]
        assert holders
        for path in holders:
            flip(path, path.read_bytes().index(noise[2].tobytes()) + place)
        found = Checkpoints(folder).restore({"x": jnp.asarray(noise[1])}, warn=lambda line: None)
        assert found is not None and found[2] == 1
        np.testing.assert_array_equal(found[0]["x"], noise[1])


def test_a_flipped_byte_in_any_file_is_harmless_or_noticed(three, tmp_path):
    """Not every byte of every file matters (Orbax leaves some unused); no wrong one passes."""
    want = {2: state_of(2), 3: state_of(3)}
    restored = set()
    for n, source in enumerate(files(three / "3")):
        folder = Path(shutil.copytree(three, tmp_path / str(n)))
        flip(folder / source.relative_to(three), source.stat().st_size // 2)
        state, spec, step, lines = restore(folder)
        assert_same(state, want[step])
        assert spec == spec_of(step) and len(lines) == 3 - step
        restored.add(step)
    assert restored == {2, 3}


def test_wrong_values_that_orbax_reads_without_complaint(folder, tmp_path):
    """Checkpoint 3 with the valid array files of 2: only the digests can tell."""
    shutil.rmtree(folder / "3" / "state")
    shutil.copytree(folder / "2" / "state", folder / "3" / "state")
    state, _, step, lines = restore(folder)
    assert step == 2
    assert_same(state, state_of(2))
    assert len(lines) == 1 and "differs from what was saved" in lines[0]


def truncate_arrays(step_folder: Path) -> None:
    for path in step_folder.glob("state/**/d/*"):
        os.truncate(path, path.stat().st_size // 2)


def empty(step_folder: Path) -> None:
    shutil.rmtree(step_folder)
    step_folder.mkdir()


def change_spec(step_folder: Path) -> None:
    meta = step_folder / "meta" / "metadata"
    text = meta.read_text()
    assert '"of": 3' in text or '"of":3' in text
    meta.write_text(text.replace('"of": 3', '"of": 4').replace('"of":3', '"of":4'))


DAMAGE = {
    "empty folder": empty,
    "truncated arrays": truncate_arrays,
    "no arrays": lambda path: shutil.rmtree(path / "state"),
    "no metadata": lambda path: shutil.rmtree(path / "meta"),
    "truncated metadata": lambda path: os.truncate(path / "meta" / "metadata", 100),
    "changed metadata": change_spec,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_checkpoint_is_skipped_and_set_aside(folder, damage, capfd):
    DAMAGE[damage](folder / "3")
    capfd.readouterr()
    state, spec, step, lines = restore(folder)
    assert (spec, step) == (spec_of(2), 2)
    assert_same(state, state_of(2))
    assert len(lines) == 1 and str(folder / "3") in lines[0] and "\n" not in lines[0]
    assert steps(folder) == {"1", "2", "3.broken"}
    assert capfd.readouterr() == ("", "")


def test_training_comes_to_the_broken_step_again(folder):
    empty(folder / "3")
    with Checkpoints(folder, keep_latest=2, keep_best=0) as checkpoints:
        found = checkpoints.restore(state_of(0), warn=lambda line: None)
        assert found is not None and found[2] == 2
        checkpoints.save(3, state_of(30), spec={"again": True})
    assert steps(folder) == {"2", "3", "3.broken"}
    state, spec, step, _ = restore(folder)
    assert (spec, step) == ({"again": True}, 3)
    assert_same(state, state_of(30))
    empty(folder / "3")  # a second time: the name `3.broken` is taken
    assert restore(folder)[2] == 2


def test_an_existing_step_is_replaced(folder):
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(3, state_of(30), spec={})
    assert_same(restore(folder)[0], state_of(30))


def test_none_whole(folder):
    for step in "123":
        empty(folder / step)
    with pytest.raises(InputError, match=r"holds 3 checkpoint\(s\) and none is whole") as error:
        Checkpoints(folder).restore(state_of(0), warn=lambda line: None)
    assert "\n" not in str(error.value)
    assert steps(folder) == {"1", "2", "3"}


# Checkpoints of something else.


def test_another_shape_is_named_and_nothing_is_moved(folder):
    narrow = {"conv1": {"kernel": jnp.ones((3, 3, 1, 32)), "bias": jnp.ones(32, jnp.bfloat16)}}
    with pytest.raises(InputError) as error:
        Checkpoints(folder).restore(replace(state_of(0), params=narrow))
    message = str(error.value)
    assert f"{folder / '3'} holds params/conv1/bias bfloat16 (64)" in message
    assert "this model needs bfloat16 (32)" in message and "\n" not in message
    assert steps(folder) == {"1", "2", "3"}


def test_another_dtype_is_named(folder):
    like = jax.tree.map(lambda x: jnp.zeros(64) if x.dtype == jnp.bfloat16 else x, state_of(0))
    with pytest.raises(InputError, match=r"conv1/bias bfloat16 \(64\), .* needs float32 \(64\)"):
        Checkpoints(folder).restore(like)


# What is kept.


def save_scores(folder: Path, scores: dict[int, float | None]) -> None:
    with Checkpoints(folder, keep_latest=1, keep_best=1) as checkpoints:
        for step, score in scores.items():
            metrics = None if score is None else {"psnr": score, "ssim": -score}
            checkpoints.save(step, {"x": jnp.full(2, step)}, spec={}, metrics=metrics)


def test_best_and_newest_are_kept_over_restarts(tmp_path):
    save_scores(tmp_path, {1: 20.0, 2: 30.0, 3: 25.0})
    assert steps(tmp_path) == {"2", "3"}
    save_scores(tmp_path, {4: 21.0, 5: 22.0})
    assert steps(tmp_path) == {"2", "5"}
    save_scores(tmp_path, {6: float("nan"), 7: None})
    assert steps(tmp_path) == {"2", "7"}
    save_scores(tmp_path, {8: 31.0})
    assert steps(tmp_path) == {"8"}


def test_damaged_metadata_of_an_old_step_does_not_stop_saving(folder):
    os.truncate(folder / "1" / "meta" / "metadata", 10)
    with Checkpoints(folder, keep_latest=2) as checkpoints:
        checkpoints.save(4, state_of(4), spec={})
    assert steps(folder) == {"2", "3", "4"}


@pytest.mark.parametrize("keep", [{"keep_latest": 0}, {"keep_best": -1}])
def test_keeping_nothing_is_refused(tmp_path, keep):
    with pytest.raises(InputError, match="keep at least 1"):
        Checkpoints(tmp_path, **keep)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make this folder"):
        Checkpoints(tmp_path / "file")


# Weights and models out of a run.


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


# Other processes. They leave out what only costs them time: Flax, the models.

KILLED = """
import os, signal, sys
import numpy as np, jax.numpy as jnp
from pathlib import Path
from jaxsr.training.checkpoint import Checkpoints

folder, moment = Path(sys.argv[1]), sys.argv[2]
checkpoints = Checkpoints(folder)
for step in (1, 2):
    content = np.random.default_rng(step).integers(0, 256, (5, 4_000_000), np.uint8)
    state = {f"w{i}": jnp.asarray(content[i]) for i in range(5)}
    checkpoints.wait()
    checkpoints.save(step, state, spec={"of": step}, metrics={"psnr": -float(step)})

def written():
    try:
        return sum(path.stat().st_size for path in folder.glob("2*/state*/**/d/*"))
    except FileNotFoundError:  # renamed meanwhile
        return 0

while not {
    "save has returned": lambda: True,
    "some arrays are written": lambda: written() > 4_000_000,
    "the folder has its name": (folder / "2").is_dir,
}[moment]():
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def start(script: str, *args: object, **env: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | env,
    )


def test_killed_while_saving(tmp_path):
    moments = {
        "save has returned": {1, 2},
        "some arrays are written": {1, 2},
        "the folder has its name": {2},
    }
    processes = [start(KILLED, tmp_path / moment, moment) for moment in moments]
    for (moment, may_hold), process in zip(moments.items(), processes, strict=True):
        assert process.wait() == -signal.SIGKILL
        like = {f"w{i}": jax.ShapeDtypeStruct((4_000_000,), jnp.uint8) for i in range(5)}
        with Checkpoints(tmp_path / moment) as checkpoints:
            found = checkpoints.restore(like, warn=pytest.fail)
        assert found is not None
        state, spec, step = found
        assert step in may_hold and spec == {"of": step}
        content = np.random.default_rng(step).integers(0, 256, (5, 4_000_000), np.uint8)
        for i in range(5):
            np.testing.assert_array_equal(state[f"w{i}"], content[i])


RESTORED_ON_FOUR = """
import sys, jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from jaxsr.training.checkpoint import Checkpoints

assert not {"orbax", "tensorstore"} & set(sys.modules), "importing must be light"
mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
split, copied = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
like = {
    "split": jax.ShapeDtypeStruct((8, 3), jnp.float32, sharding=split),
    "copied": jax.ShapeDtypeStruct((5,), jnp.float32, sharding=copied),
    "rng": jax.device_put(jax.random.key(0), copied),
}
with Checkpoints(sys.argv[1]) as checkpoints:
    state, _, step = checkpoints.restore(like)
    assert step == 1 and state["split"].sharding == split and state["copied"].sharding == copied
    assert state["rng"].sharding.is_equivalent_to(copied, 0)
    assert state["split"].tolist() == jnp.arange(24.0).reshape(8, 3).tolist()
    checkpoints.save(2, state, spec={})
"""


def test_one_device_to_four_and_back(tmp_path):
    state = {
        "split": jnp.arange(24.0).reshape(8, 3),
        "copied": jnp.ones(5),
        "rng": jax.random.key(7),
    }
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, spec={})
    flags = "--xla_force_host_platform_device_count=4"
    assert start(RESTORED_ON_FOUR, tmp_path, XLA_FLAGS=flags).wait() == 0
    found = Checkpoints(tmp_path).restore(state)
    assert found is not None and found[2] == 2
    assert_same(found[0], state)
