"""Discriminators in files of jaxsr's own: .safetensors or .npz.

A tensor is named by its path in the variables, collection first: "params/conv1/kernel". The
metadata say which discriminator it is, with which arguments, and what it judges.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxsr.errors import InputError
from jaxsr.interop.files import read_state, write_state

_LARGEST = 10_000  # of the sizes of any network
_KEY = "jaxsr"  # of the metadata
_COLLECTIONS = ("params", "batch_stats")


def save_discriminator(
    path: str | os.PathLike[str], variables: Mapping[str, Any], spec: Mapping[str, Any]
) -> None:
    """Writes a discriminator to a file.

    Args:
      path: .safetensors or .npz.
      variables, spec: as `jaxsr.loading.load_discriminator` gives them.

    Raises:
      InputError: for another suffix, or a file that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() in (".pth", ".pt"):
        raise InputError(f"{path}: discriminators are written as .safetensors or .npz only")
    said = spec["discriminator"]
    text = {"discriminator": said["model"], "args": said["model_args"], "on": said["on"]}
    state = {name: np.asarray(x) for name, x in flatten_dict(variables, sep="/").items()}
    write_state(path, state, {_KEY: json.dumps(text)})


def load_discriminator_file(
    path: str | os.PathLike[str],
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The discriminator that `save_discriminator` has written: `(module, variables, spec)`.

    Whether its tensors have the shapes that the module needs shows when it is applied: they may
    depend on the size of what it judges.

    Raises:
      InputError: for a file that cannot be read, is damaged, or holds something else.
    """
    path = Path(path)
    state, metadata = read_state(path)
    said = described(metadata.get(_KEY))
    if said is None:
        raise InputError(
            f"{path}: does not say which discriminator it holds; give a run folder, or what "
            "`jaxsr convert --network discriminator` has written"
        )
    module = _built(path, said["model"], said["model_args"])
    return module, _variables(path, state), {"discriminator": said}


def described(text: str | None) -> dict[str, Any] | None:
    """What a file's metadata say of a discriminator: its `model`, its `model_args`, and `on`, what
    it judges; None if they name none, or make no sense."""
    try:
        said = json.loads(text or "")
        model, args, on = str(said["discriminator"]), dict(said["args"]), str(said["on"])
        if not "".join([model, on, *args]).isprintable():
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return {"model": model[:80], "model_args": args, "on": on[:80]}


def _built(path: Path, model: str, args: dict[str, Any]) -> Any:
    """The module, if it can be: what a file says of its sizes may be any nonsense."""
    from jaxsr.models.discriminators import create_discriminator

    try:
        if any(isinstance(value, int) and value > _LARGEST for value in args.values()):
            raise OverflowError
        return create_discriminator(model, **args)
    except InputError as error:
        raise InputError(f"{path}: {str(error)[:200]}") from None
    except Exception:  # from anywhere inside
        sizes = ", ".join(f"{key} {value!r}"[:40] for key, value in args.items())
        raise InputError(f"{path}: there is no discriminator {model} of {sizes[:200]}") from None


def _variables(path: Path, state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The tensors as a tree of float32 arrays."""
    above: set[str] = set()  # the names of what holds tensors
    for name, value in state.items():
        parts = name.split("/")
        above |= {"/".join(parts[:n]) for n in range(1, len(parts))}
        if parts[0] not in _COLLECTIONS or len(parts) == 1:
            raise InputError(f"{path}: '{name[:80]}' is no tensor of a discriminator")
        if value.dtype != np.float32 or not np.isfinite(value).all():
            raise InputError(f"{path}: tensor '{name[:80]}' is not float32 and finite throughout")
    if "params" not in above:
        raise InputError(f"{path}: has no parameters of a discriminator; it is damaged")
    if both := above & state.keys():
        raise InputError(f"{path}: '{min(both)[:80]}' is a tensor and holds others; it is damaged")
    return jax.tree.map(jnp.asarray, unflatten_dict(dict(state), sep="/"))
