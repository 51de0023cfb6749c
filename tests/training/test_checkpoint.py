"""Checkpoints: what was saved comes back bit by bit, whatever happens to the files."""

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.training.checkpoint import Checkpoints, read_spec
from tests.training.checkpoint_states import (
    State,
    assert_same,
    empty,
    spec_of,
    state_of,
    steps,
    truncate_arrays,
    write,
)

# Reads that fail must not leave tracebacks of threads or of unawaited coroutines behind.
pytestmark = pytest.mark.filterwarnings(
    "error::pytest.PytestUnraisableExceptionWarning",
    "error::pytest.PytestUnhandledThreadExceptionWarning",
)


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
