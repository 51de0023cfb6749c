"""What makes a checkpoint whole (its arrays by name, each with a digest, in a sealed JSON), and
the walk to the first one that is.

A tree of arrays is flattened to `{"params/conv1/kernel": array}`, so that any part of it can be
read alone and containers without arrays (an optax `EmptyState`) need not match. The record of an
array is `{"shape": [3, 3, 1, 64], "dtype": "float32", "blake2b": "..."}`; a typed PRNG key keeps
its own dtype (`key<fry>`) and shape there, and stands for its words in the digest.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError

Warn = Callable[[str], None]


class BrokenError(Exception):
    """This checkpoint cannot be trusted; another one may be. The message is the reason."""


def named(tree: Any) -> dict[str, Any]:
    """The leaves by their path, in the order of the tree: {"params/conv1/kernel": leaf}."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def nested(arrays: Mapping[str, Any]) -> dict:
    """The reverse of `named` for a tree of dicts."""
    tree: dict = {}
    for name, x in arrays.items():
        *parents, last = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = x
    return tree


def place(x: np.ndarray, like: Any) -> Any:
    """A host array as the array that it is to replace.

    Args:
        x: the values; the words, for typed PRNG keys.
        like: an array or `jax.ShapeDtypeStruct` of the same shape and dtype.

    Returns:
        A JAX array with the sharding of `like` (without one: on the first device), or `x` itself
        for a NumPy array.
    """
    if isinstance(like, np.ndarray):
        return x
    value: Any = x
    if _is_key(like):
        # A description, and an array donated already, tell their implementation only by dtype.
        impl = jax.random.key_impl(jnp.empty(like.shape, like.dtype))
        value = jax.random.wrap_key_data(jnp.asarray(x), impl=impl)
    sharding = like.sharding or jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return jax.device_put(value, sharding)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def describe(x: Any) -> dict:
    """`{"shape", "dtype"}` of an array or a `jax.ShapeDtypeStruct`."""
    return {"shape": list(x.shape), "dtype": str(x.dtype)}


def digest(x: Any) -> str:
    """blake2b of dtype, shape and the bytes in C order; of a typed PRNG key, those of its words."""
    if _is_key(x):
        x = jax.random.key_data(x)
    data = np.ascontiguousarray(x)
    state = hashlib.blake2b(f"{x.dtype} {x.shape} ".encode(), digest_size=16)
    # As bytes, because bfloat16 has no buffer protocol.
    state.update(data.reshape(-1).view(np.uint8).data)
    return state.hexdigest()


def record(arrays: Mapping[str, Any]) -> dict[str, dict]:
    """The record of every array, by name."""
    return {name: describe(x) | {"blake2b": digest(x)} for name, x in arrays.items()}


def check_digests(arrays: Mapping[str, Any], recorded: Mapping[str, dict]) -> None:
    """Raises `BrokenError` naming the first array that is not as recorded."""
    for name, x in arrays.items():
        if digest(x) != recorded[name]["blake2b"]:
            raise BrokenError(f"{name} differs from what was saved")


def check_same(where: Any, recorded: Mapping[str, dict], wanted: Mapping[str, Any]) -> None:
    """The recorded arrays are those of the wanted state, by name, shape and dtype.

    Args:
        where: the checkpoint, for the message.
        recorded: the records of its arrays.
        wanted: arrays or `jax.ShapeDtypeStruct`s by name.

    Raises:
        InputError: they are not; names the first array that differs, with both descriptions.
    """
    for name in [*wanted, *recorded]:
        held = _show(recorded[name]) if name in recorded else None
        needed = _show(describe(wanted[name])) if name in wanted else None
        if held != needed:
            raise InputError(
                f"checkpoint {where} holds {name} {held or '(no such tensor)'}, this model needs "
                f"{needed or 'no such tensor'}: it is of another model; use another --workdir"
            )


def _show(described: dict) -> str:
    return f"{described['dtype']} ({','.join(map(str, described['shape']))})"


def seal(meta: dict) -> dict:
    """A deep copy of a JSON-able dict, as JSON would give it back, with a digest of itself."""
    meta = json.loads(json.dumps(meta))
    return meta | {"digest": _digest_of_json(meta)}


def unseal(text: str | bytes) -> dict:
    """The dict that was sealed, from its JSON.

    Raises:
        BrokenError: the text is not JSON of a sealed dict, or not as it was when sealed.
    """
    try:
        meta = json.loads(text)
        sealed = meta.pop("digest")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BrokenError("its metadata is damaged") from None
    if sealed != _digest_of_json(meta):
        raise BrokenError("its metadata is damaged")
    return meta


def _digest_of_json(meta: dict) -> str:
    return hashlib.blake2b(json.dumps(meta, sort_keys=True).encode(), digest_size=16).hexdigest()


def read_meta(path: Path) -> dict:
    """The JSON of the checkpoint in the folder `path`; raises `BrokenError`."""
    try:
        text = (path / "meta" / "metadata").read_bytes()
    except OSError:
        raise BrokenError("its metadata is missing") from None
    meta = unseal(text)
    if str(meta["step"]) != path.name:
        raise BrokenError(f"its metadata is that of step {meta['step']}")
    return meta


def score(meta: dict, metric: str) -> float:
    """What a checkpoint is ranked by; -inf without this metric or with NaN."""
    value = meta["metrics"].get(metric, -math.inf)
    return -math.inf if math.isnan(value) else value


def rank(path: Path) -> tuple[float, int]:
    """What the best checkpoint has most of: the score in its own metric, then its step."""
    try:
        meta = read_meta(path)
    except BrokenError:
        return -math.inf, int(path.name)
    return score(meta, meta["metric"]), int(path.name)


def step_folders(folder: Path) -> list[Path]:
    """The folders named by a step, newest first; Orbax's unfinished ones have a longer name.

    None in a folder that is not there.
    """
    if not folder.is_dir():
        return []
    steps = [path for path in folder.iterdir() if path.name.isdecimal() and path.is_dir()]
    return sorted(steps, key=lambda path: int(path.name), reverse=True)


def locate(folder: Path) -> list[Path]:
    """The step folders, at least one, of a workdir or checkpoints folder, newest first.

    Raises:
        InputError: no such folder, or no checkpoint in it.
    """
    folder = Path(folder).absolute()
    if (folder / "checkpoints").is_dir():
        folder = folder / "checkpoints"
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the --workdir of a training run")
    paths = step_folders(folder)
    if not paths:
        raise InputError(f"{folder} holds no checkpoint; give the --workdir of a training run")
    return paths


def first_whole(paths: list[Path], read: Callable[[Path], Any], warn: Warn) -> Any:
    """`read(path)` of the first path for which it raises no `BrokenError`.

    Args:
        paths: step folders in the order of preference, at least one.
        read: reads and verifies one of them.
        warn: gets one line for each that is not whole.

    Raises:
        InputError: none is whole.
    """
    reasons = []
    for path in paths:
        try:
            return read(path)
        except BrokenError as error:
            reasons.append(f"{path.name}: {error}")
            warn(f"checkpoint {path} is not whole ({error}): skipped")
    raise InputError(
        f"{paths[0].parent} holds {len(paths)} checkpoint(s) and none is whole ({reasons[0]}); "
        "bring back a copy, or start again in another --workdir"
    )
