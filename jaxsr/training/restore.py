"""The networks of a training run, read from its checkpoints without the optimisers' state.

A supervised run's arrays are "params/...", "ema/...", "batch_stats/..."; those of a run with
discriminators "generator/params/..." and so on, and "discriminators/NAME/params/...".

The only file that knows TensorStore, which Orbax writes with: Orbax itself casts dtypes silently,
and one array that cannot be read leaves the tracebacks of all the others on stderr.
"""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError, nearest
from jaxsr.training.digests import (
    BrokenError,
    Warn,
    check_digests,
    first_whole,
    locate,
    nested,
    rank,
    read_meta,
    step_folders,
)

FIRST_STAGE = "psnr"  # the folder of a run's first stage, in that of the run


def read_spec(folder: Path) -> tuple[dict, int]:
    """The newest readable `(spec, step)` of a workdir or checkpoints folder; reads no array.

    Raises:
        InputError: no such folder, no checkpoint in it, or none with a readable JSON.
    """
    meta = first_whole(_locate(folder), read_meta, warn=lambda line: None)
    return meta["spec"], meta["step"]


def load_model(
    folder: Path, *, averaged: bool = True, warn: Warn = warnings.warn
) -> tuple[Any, dict, dict]:
    """The network of a training run as `(module, variables, spec)`, from its best checkpoint.

    Best is the whole checkpoint with the highest metric or, if none has a metric, as in a run with
    discriminators, the newest. Reads nothing else: neither optimiser nor discriminator.

    Args:
        folder: a workdir or its checkpoints folder.
        averaged: take the exponential moving average of the parameters where the run keeps one;
            False: the parameters themselves.
        warn: gets one line for each checkpoint that is not whole.

    Returns:
        The Flax module, made from `spec["config"]`: its `model`, `scale` and `model_args`;
        `variables` for its `apply`: `params` and, if there are any, `batch_stats`, on the default
        device; the spec given to `Checkpoints.save`.

    Raises:
        InputError: no such folder, no checkpoint in it, or none whole.
    """
    from jaxsr.models import create_model

    def roots(meta: dict) -> dict[str, str]:
        arrays = meta["arrays"]
        at = "generator/" if _any_in(arrays, "generator/") else ""
        params = "ema" if averaged and _any_in(arrays, f"{at}ema/") else "params"
        return {"params": f"{at}{params}/", "batch_stats": f"{at}batch_stats/"}

    variables, spec = _best(folder, roots, warn)
    config = spec["config"]
    module = create_model(config["model"], scale=config["scale"], **config["model_args"])
    return module, variables, spec


def load_discriminator(
    folder: Path, name: str | None = None, *, warn: Warn = warnings.warn
) -> tuple[Any, dict, dict]:
    """A discriminator of a training run as `(module, variables, spec)`, from its best checkpoint.

    Args:
        folder: a workdir or its checkpoints folder.
        name: which one, by its name in the config; not needed where there is only one.
        warn: gets one line for each checkpoint that is not whole.

    Returns:
        As `load_model`; the spec tells in `"discriminator"` its `model`, its `model_args` and
        what it judges, `on`.

    Raises:
        InputError: as `load_model`; or the run has no discriminator of this name, or several.
    """
    from jaxsr.models.discriminators import create_discriminator

    def roots(meta: dict) -> dict[str, str]:
        at = f"discriminators/{_discriminator(folder, meta['spec'], name)[0]}/"
        return {"params": f"{at}params/", "batch_stats": f"{at}batch_stats/"}

    variables, spec = _best(folder, roots, warn)
    _, config = _discriminator(folder, spec, name)
    module = create_discriminator(config["model"], **config["model_args"])
    described = {key: config[key] for key in ("model", "model_args", "on")}
    return module, variables, spec | {"discriminator": described}


def read_arrays(path: Path, meta: dict, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The arrays of these names with their digests verified; typed PRNG keys as their words.

    Args:
        path: the folder of one step.
        meta: its JSON.

    Raises:
        BrokenError: one cannot be read, or is not what was saved.
    """
    import tensorstore as ts

    store = {"driver": "ocdbt", "base": {"driver": "file", "path": f"{path / 'state'}/"}}
    try:
        # All at once, so that they are read in parallel.
        opened = {
            name: ts.open({"driver": "zarr", "kvstore": store | {"path": f"{name}/"}}, read=True)
            for name in names
        }
        reads = {name: future.result().read() for name, future in opened.items()}
        arrays = {name: future.result() for name, future in reads.items()}
    except MemoryError:
        raise  # not the checkpoint's fault
    except Exception as error:  # TensorStore documents no closed set
        # Its message is one long line that ends with its whole configuration in brackets.
        reason = " ".join(str(error).partition(" [")[0].split())
        raise BrokenError(reason[:200] or type(error).__name__) from error
    check_digests(arrays, meta["arrays"])
    return arrays


def _best(
    folder: Path, roots: Callable[[dict], dict[str, str]], warn: Warn
) -> tuple[dict[str, Any], dict]:
    """Variables and spec of the best whole checkpoint.

    Args:
        roots: of a checkpoint's JSON: collection -> what the names of its arrays begin with.
    """

    def read(path: Path) -> tuple[dict[str, Any], dict]:
        meta = read_meta(path)
        names = {
            name: f"{collection}/{name.removeprefix(root)}"
            for collection, root in roots(meta).items()
            for name in meta["arrays"]
            if name.startswith(root)
        }
        arrays = read_arrays(path, meta, names)
        variables = nested({names[name]: x for name, x in arrays.items()})
        return {"params": {}} | variables, meta["spec"]

    paths = sorted(_locate(folder), key=rank, reverse=True)
    variables, spec = first_whole(paths, read, warn)
    return jax.tree.map(jnp.asarray, variables), spec


def _locate(folder: Path) -> list[Path]:
    """The step folders, newest first; an error tells a run that is still in its first stage."""
    first = Path(folder) / FIRST_STAGE
    try:
        return locate(folder)
    except InputError:
        if not step_folders(first / "checkpoints"):
            raise
        raise InputError(f"{folder} has no checkpoint yet; its first stage has: {first}") from None


def _discriminator(folder: Path, spec: dict, name: str | None) -> tuple[str, dict]:
    """Name and config of the discriminator asked for, or of the only one."""
    # Specs of supervised runs may be older than adversarial ones.
    held = spec["config"].get("adversarial", {}).get("discriminators", {})
    if not held:
        raise InputError(f"{folder} holds no discriminator: it is a run without any")
    if name is None and len(held) > 1:
        raise InputError(f"{folder} holds several discriminators; name one: {', '.join(held)}")
    if name is not None and name not in held:
        raise InputError(f"{folder} holds no discriminator '{name}'{nearest(name, held)}")
    name = next(iter(held)) if name is None else name
    return name, held[name]


def _any_in(names: Iterable[str], root: str) -> bool:
    return any(name.startswith(root) for name in names)
