"""A checkpoint's records: every change of an array or of the JSON shows, and nothing else does."""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxsr.errors import InputError
from jaxsr.training.digests import (
    BrokenError,
    check_digests,
    check_same,
    digest,
    first_whole,
    locate,
    named,
    nested,
    place,
    rank,
    read_meta,
    record,
    score,
    seal,
    step_folders,
    unseal,
)

ARRAYS = {
    "params/conv1/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "params/conv1/bias": np.ones(3, jnp.bfloat16),
    "step": np.int32(4),
}


def test_names_are_paths():
    tree = {"params": {"conv1": {"kernel": 1, "bias": 2}, "conv2": {"bias": 3}}, "step": 4}
    assert named(tree) == flatten_dict(tree, sep="/")
    assert nested(named(tree)) == tree
    assert named({"opt": ((5, {"mu": 6}), ())}) == {"opt/0/0": 5, "opt/0/1/mu": 6}


def test_digest_is_blake2b_of_type_shape_and_bytes():
    x = np.array([[1, 2], [3, 4]], np.uint8)
    want = hashlib.blake2b(b"uint8 (2, 2) \x01\x02\x03\x04", digest_size=16).hexdigest()
    assert digest(x) == digest(jnp.asarray(x)) == want
    assert digest(np.asfortranarray(x)) == digest(np.repeat(x, 2, 1)[:, ::2]) == want
    bfloat16 = hashlib.blake2b(b"bfloat16 (1,) \x80\x3f", digest_size=16).hexdigest()
    assert digest(jnp.ones(1, jnp.bfloat16)) == digest(np.ones(1, jnp.bfloat16)) == bfloat16


def test_digest_tells_types_shapes_and_bits_apart():
    x = np.arange(4, dtype=np.int32)
    others = [x.view(np.uint32), x.reshape(2, 2), x.reshape(4, 1), np.array([0, 1, 2, 2], np.int32)]
    assert len({digest(y) for y in [x, *others, np.int32(0), np.zeros(1, np.int32)]}) == 7


def test_digest_of_a_key_is_that_of_its_words():
    assert digest(jax.random.key(7)) == digest(np.array([0, 7], np.uint32))


def test_record_and_its_check():
    recorded = record(ARRAYS)
    assert recorded["params/conv1/bias"] == {
        "shape": [3],
        "dtype": "bfloat16",
        "blake2b": digest(ARRAYS["params/conv1/bias"]),
    }
    assert record({"rng": jax.random.key(1)})["rng"]["dtype"] == "key<fry>"
    check_digests(ARRAYS, recorded)
    with pytest.raises(BrokenError, match=r"^step differs from what was saved$"):
        check_digests(ARRAYS | {"step": np.int32(5)}, recorded)


def test_another_model_is_told_by_its_first_differing_array():
    recorded = record(ARRAYS)
    check_same("run/3", recorded, ARRAYS)
    check_same(
        "run/3", recorded, {n: jax.ShapeDtypeStruct(x.shape, x.dtype) for n, x in ARRAYS.items()}
    )
    other = ARRAYS | {"params/conv1/bias": np.ones(3, np.float32)}
    with pytest.raises(
        InputError,
        match=r"^checkpoint run/3 holds params/conv1/bias bfloat16 \(3\), this model needs "
        r"float32 \(3\): it is of another model; use another --workdir$",
    ):
        check_same("run/3", recorded, other)
    with pytest.raises(InputError, match=r"kernel float32 \(2,3\), .* needs float32 \(3,2\)"):
        check_same("run/3", recorded, ARRAYS | {"params/conv1/kernel": np.ones((3, 2), np.float32)})
    with pytest.raises(InputError, match=r"holds x \(no such tensor\), .* needs int32 \(\)"):
        check_same("run/3", recorded, {"x": np.int32(1)})
    with pytest.raises(InputError, match=r"holds step int32 \(\), .* needs no such tensor"):
        check_same("run/3", recorded, {n: x for n, x in ARRAYS.items() if n != "step"})


META = {"step": 3, "spec": {"sizes": (1, 2.5), "name": "é"}, "metric": "psnr", "metrics": {}}


def test_a_sealed_dict_comes_back_as_json_gives_it():
    sealed = seal(META)
    assert sealed["spec"] is not META["spec"]
    assert unseal(json.dumps(sealed)) == META | {"spec": {"sizes": [1, 2.5], "name": "é"}}
    assert unseal(json.dumps(sealed, indent=1, ensure_ascii=False).encode()) == unseal(
        json.dumps(sealed)
    )


def test_every_flipped_byte_of_a_sealed_dict_shows():
    text = json.dumps(seal(META)).encode()
    for i in range(len(text)):
        with pytest.raises(BrokenError):
            unseal(text[:i] + bytes([text[i] ^ 0x10]) + text[i + 1 :])


@pytest.mark.parametrize("text", ["", "null", "3", "[1]", "{}", '{"digest": 1}', b"\xff\xfe\x00"])
def test_what_is_not_a_sealed_dict(text):
    with pytest.raises(BrokenError, match="its metadata is damaged"):
        unseal(text)


def write(path: Path, **changes) -> None:
    (path / "meta").mkdir(parents=True)
    meta = META | {"step": int(path.name)} | changes
    (path / "meta" / "metadata").write_text(json.dumps(seal(meta)))


def test_metadata_belongs_to_its_folder(tmp_path):
    with pytest.raises(BrokenError, match="its metadata is missing"):
        read_meta(tmp_path / "3")
    write(tmp_path / "3")
    assert read_meta(tmp_path / "3")["step"] == 3
    (tmp_path / "3").rename(tmp_path / "4")
    with pytest.raises(BrokenError, match="its metadata is that of step 3"):
        read_meta(tmp_path / "4")


def test_scores():
    assert score({"metrics": {"psnr": 30.5, "ssim": 0.9}}, "ssim") == 0.9
    assert score({"metrics": {"psnr": float("nan")}}, "psnr") == -np.inf
    assert score({"metrics": {}}, "psnr") == -np.inf


def test_steps_by_number_and_by_score(tmp_path):
    for step, psnr in {9: 30.0, 10: 20.0, 100: 30.0, 101: float("nan")}.items():
        write(tmp_path / str(step), metrics={"psnr": psnr, "ssim": -psnr})
    write(tmp_path / "102")
    (tmp_path / "103").mkdir()
    (tmp_path / "104.orbax-checkpoint-tmp").mkdir()
    (tmp_path / "105").write_text("a file")
    paths = step_folders(tmp_path)
    assert [path.name for path in paths] == ["103", "102", "101", "100", "10", "9"]
    best = sorted(paths, key=rank, reverse=True)
    assert [path.name for path in best] == ["100", "9", "10", "103", "102", "101"]


def test_a_run_is_found_by_its_workdir_or_checkpoints_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder; give the --workdir"):
        locate(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no such folder"):
        locate(tmp_path / "file")
    with pytest.raises(InputError, match="holds no checkpoint"):
        locate(tmp_path)
    (tmp_path / "checkpoints" / "5").mkdir(parents=True)
    assert locate(tmp_path) == locate(tmp_path / "checkpoints") == [tmp_path / "checkpoints" / "5"]


def test_the_walk_ends_at_the_first_whole():
    lines: list[str] = []

    def read(path: Path) -> str:
        if path.name != "1":
            raise BrokenError(f"reason {path.name}")
        return "whole"

    paths = [Path("run") / step for step in "3210"]
    assert first_whole(paths, read, lines.append) == "whole"
    assert lines == [
        f"checkpoint {Path('run') / step} is not whole (reason {step}): skipped" for step in "32"
    ]
    with pytest.raises(InputError, match=r"^run holds 2 .* none is whole \(3: reason 3\); "):
        first_whole(paths[:2], read, lines.append)


def test_a_read_that_fails_otherwise_ends_the_walk():
    def read(path: Path) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        first_whole([Path("2"), Path("1")], read, pytest.fail)


def test_placed_like_an_array_or_its_description():
    x = np.arange(3, dtype=np.float32)
    assert place(x, np.zeros(3, np.float32)) is x
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    for like in (
        jnp.zeros(3),
        jax.ShapeDtypeStruct((3,), jnp.float32),
        jax.ShapeDtypeStruct((3,), jnp.float32, sharding=sharding),
    ):
        placed = place(x, like)
        assert isinstance(placed, jax.Array) and placed.sharding == sharding
        np.testing.assert_array_equal(placed, x)


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_words_are_placed_as_keys(impl):
    keys = jax.random.split(jax.random.key(5, impl=impl), 2)
    words = np.asarray(jax.random.key_data(keys))
    for like in (jnp.empty(2, keys.dtype), jax.ShapeDtypeStruct((2,), keys.dtype)):
        placed = place(words, like)
        assert placed.dtype == keys.dtype and placed.shape == (2,)
        np.testing.assert_array_equal(jax.random.key_data(placed), words)
