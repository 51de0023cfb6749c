"""Which network a file of weights holds, and the network with them.

A file of jaxsr names its model in its metadata. For others the layouts are asked one after the
other; a layout that recognises the tensors must also account for every one of them. If none does,
they are asked again without what all names start with: the attribute under which a training program
held the network.
"""

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError, nearest
from jaxsr.interop.discriminators import described
from jaxsr.interop.files import read_state, write_state
from jaxsr.interop.layout import Found, Layout, State
from jaxsr.interop.layouts import LAYOUTS
from jaxsr.interop.mapping import file_keys, from_file, paths, to_file, variable_shapes
from jaxsr.models import MODELS, create_model

_KEY = "jaxsr"  # of the metadata, and the name of jaxsr's own layout
_WRAPPERS = 3  # modules around the network, such as Lightning's "model.net."
_LARGEST = 10_000  # of the sizes of any network


def load_weights_file(
    path: str | os.PathLike[str],
    *,
    model: str | None = None,
    scale: int | None = None,
    any_scale: bool = False,
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The network in a file of weights: `(module, variables, spec)`.

    Args:
      path: PyTorch's .pth or .pt, .safetensors, .npz, or the .mat of the early papers.
      model: the model that it must hold; by default whatever is recognised.
      scale: the enlargement, where the tensors do not tell (the file's name is asked before).
      any_scale: take the first that fits where nothing tells.

    Returns:
      The Flax module; `variables` for its `apply`, float32; and
      `{"config": {"model", "scale", "model_args"}, "layout", "scales"}`.

    Raises:
      InputError: for a file that cannot be read, is not recognised, or holds another model or
        scale, with the tensor that tells.
    """
    path = Path(path)
    state, metadata = read_state(path)
    if model is not None and model not in MODELS:
        raise InputError(f"unknown model '{model}'{nearest(model, MODELS)}")
    complaint: InputError | None = None
    for layout, found, tensors in _candidates(path, state, metadata):
        try:
            _check_model(path, found, model)
            chosen = _choose_scale(path, found, scale, any_scale)
            module: Any = _built(path, model or found.model, chosen, found.args)
            variables = from_file(layout, module, tensors, str(path))
        except InputError as error:
            complaint = complaint or error
            continue
        config = {"model": model or found.model, "scale": chosen, "model_args": found.args}
        spec = {"config": config, "layout": layout.toolbox, "scales": list(found.scales)}
        return module, jax.tree.map(jnp.asarray, variables), spec
    raise complaint or _unknown(path, state, model, scale)


def save_weights(
    path: str | os.PathLike[str],
    module: Any,
    variables: Mapping[str, Any],
    spec: Mapping[str, Any],
    *,
    names: str | None = None,
) -> str:
    """Writes weights to a file; returns whose names the tensors have.

    Args:
      path: .safetensors or .npz under jaxsr's names, .pth or .pt under PyTorch's.
      module, variables, spec: as `load_weights_file` and `load_model` give them.
      names: "jaxsr", or a toolbox that has a layout of this model, such as "BasicSR".

    Raises:
      InputError: for another suffix, a toolbox without such a network, or a file that cannot be
        written.
    """
    path = Path(path)
    config = spec["config"]
    pytorch = path.suffix.lower() in (".pth", ".pt")
    if pytorch and names == _KEY:
        raise InputError(
            f"{path}: a file of PyTorch does not say which network it holds, as --names {_KEY} "
            "needs it; use .safetensors or .npz"
        )
    layout = _layout_named(names or ("" if pytorch else _KEY), module, variables, config["model"])
    # Everything as it was: what jaxsr reads back is the same network, scale left open or not.
    found = {
        "model": config["model"],
        "scales": spec.get("scales", [config["scale"]]),
        "args": config["model_args"],
    }
    metadata = {_KEY: json.dumps(found)} if layout.toolbox == _KEY else {}
    write_state(path, to_file(layout, module, variables), metadata)
    return layout.toolbox


def layouts_of(module: Any, variables: Mapping[str, Any]) -> list[Layout]:
    """The layouts that can hold this network, the one most used first."""
    fitting = []
    for layout in LAYOUTS:
        if layout.convert is not None:
            continue
        try:
            found = layout.detect(to_file(layout, module, variables))
        except (KeyError, AttributeError, TypeError):  # of another architecture
            continue
        if found is not None and _same(found, module):
            fitting.append(layout)
    return fitting


def _own_layout(found: Found) -> Layout:
    """jaxsr's own names: the paths themselves."""
    return Layout(_KEY, lambda state: found, lambda model: {p: p for p in paths(model)})


def _candidates(
    path: Path, state: State, metadata: Mapping[str, str]
) -> Iterator[tuple[Layout, Found, State]]:
    if _KEY in metadata:
        found = _stated(path, metadata[_KEY])
        yield _own_layout(found), found, state
        return
    inner: State | None = state
    for _ in range(_WRAPPERS + 1):
        if inner is None:
            return
        for layout in LAYOUTS:
            tensors = inner if layout.convert is None else layout.convert(inner)
            found = None if tensors is None else layout.detect(tensors)
            if tensors is not None and found is not None and max(found.scales) <= _LARGEST:
                yield layout, found, tensors
        inner = _without_shared_prefix(inner)


def _without_shared_prefix(state: State) -> State | None:
    """The tensors by the names that follow the one first part of all, if they share it."""
    parts = [key.partition(".") for key in state]
    if len({first for first, _, _ in parts}) != 1 or not all(rest for _, _, rest in parts):
        return None
    return {rest: state[f"{first}.{rest}"] for first, _, rest in parts}


def _stated(path: Path, text: str) -> Found:
    """What the metadata of a file of jaxsr says that it holds."""
    if opponent := described(text):
        raise InputError(
            f"{path}: holds a discriminator ({opponent['model']}), which enlarges nothing; "
            "`jaxsr convert` takes it with --network discriminator"
        )
    try:
        said = json.loads(text)
        found = Found(
            said["model"], tuple(dict.fromkeys(map(int, said["scales"]))), dict(said["args"])
        )
        known = found.model in MODELS and set(found.scales) <= set(MODELS[found.model].scales)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InputError(f"{path}: its '{_KEY}' metadata is damaged; get the file again") from None
    if not known or not found.scales:
        model = str(found.model)[:80]
        raise InputError(f"{path}: holds {model!r}, which this version of jaxsr has not")
    _built(path, found.model, found.scales[0], found.args)
    return found


def _built(path: Path, model: str, scale: int, args: Mapping[str, Any]) -> Any:
    """The module, if it can be: what a file says of its sizes may be any nonsense."""
    try:
        if any(isinstance(value, int) and value > _LARGEST for value in args.values()):
            raise OverflowError
        module = create_model(model, scale=scale, **args)
        variable_shapes(module)
        return module
    except InputError as error:
        raise InputError(f"{path}: {str(error)[:200]}") from None
    except Exception:  # from anywhere inside: a division by 0 heads, a shape of -1, a text
        sizes = ", ".join(f"{key} {value!r}"[:40] for key, value in args.items())
        raise InputError(f"{path}: there is no {model} x{scale} of {sizes[:200]}") from None


def _check_model(path: Path, found: Found, asked: str | None) -> None:
    if asked in (None, found.model):
        return
    card, scale = MODELS[asked], found.scales[0]
    if (
        not card.needs_weights
        or scale not in card.scales
        or not _same(found, create_model(asked, scale=scale))
    ):
        raise InputError(f"--model {asked}, but {path} holds {found.model}; drop --model")


# Fields that change no tensor and that no file tells.
_INVISIBLE = ("dtype", "icnr", "remat", "res_scale", "parent", "name")


def _same(found: Found, module: Any) -> bool:
    """Whether the tensors are those of the network `module` (srgan is srresnet)."""
    if module.scale not in found.scales:
        return False
    other = create_model(found.model, scale=module.scale, **found.args)
    return type(other) is type(module) and all(
        getattr(other, field.name) == getattr(module, field.name)
        for field in dataclasses.fields(module)
        if field.name not in _INVISIBLE
    )


def _choose_scale(path: Path, found: Found, asked: int | None, any_scale: bool) -> int:
    """The scale asked for if it fits, else the tensors' only one, else the file name's."""
    fitting = " or ".join(f"x{scale}" for scale in found.scales)
    if asked is not None:
        if asked not in found.scales:
            raise InputError(f"--scale {asked}, but {path} holds {found.model} {fitting}")
        return asked
    if len(found.scales) == 1:
        return found.scales[0]
    named = {int(a or b) for a, b in re.findall(r"x(\d)(?!\d)|(?<!\d)(\d)x", path.stem.lower())}
    named &= set(found.scales)
    if len(named) == 1:
        return named.pop()
    if any_scale:
        return found.scales[0]
    raise InputError(f"{path}: its {found.model} fits {fitting}; give --scale")


def _unknown(path: Path, state: State, asked: str | None, scale: int | None) -> InputError:
    """No layout matches: names the first tensor that is not as the wanted model needs it."""
    if asked is not None:
        module: Any = create_model(asked, scale=scale or (MODELS[asked].scales or (4,))[-1])
        shared: dict[int, Layout] = {}  # number of names that a layout shares with the file
        for layout in LAYOUTS:
            with suppress(KeyError, AttributeError, TypeError):  # of another architecture
                shared.setdefault(len(file_keys(layout, module) & set(state)), layout)
        if shared:
            try:
                from_file(shared[max(shared)], module, state, str(path))
            except InputError as error:
                return error
    keys = list(state)
    shown = ", ".join(f"'{key[:80]}' {tuple(np.shape(state[key]))}" for key in keys[:3])
    return InputError(
        f"{path}: no network that jaxsr knows has these {len(keys)} tensors: {shown}"
        f"{', ...' if len(keys) > 3 else ''}; see `jaxsr models`"
    )


def _layout_named(names: str, module: Any, variables: Mapping[str, Any], model: str) -> Layout:
    """The layout of that toolbox; "" is the one most used."""
    if names == _KEY:
        return _own_layout(Found(model, (module.scale,)))
    fitting = layouts_of(module, variables)
    for layout in fitting:
        if names in ("", layout.toolbox):
            return layout
    known = [_KEY, *(layout.toolbox for layout in fitting)]
    raise InputError(f"--names: no layout '{names}' of {model}{nearest(names, known)}")
