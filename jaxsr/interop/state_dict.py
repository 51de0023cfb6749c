"""The tensors of a network among everything else that a training run has saved."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsr.interop.unpickle import Array, Object

# What files call the entry that holds the weights. Averaged ones come first: they are what the
# authors score.
_CONTAINERS = (
    *("params_ema", "params-ema", "model_ema", "ema_model"),
    *("state_dict_ema", "ema_state_dict", "ema"),
    *("netG_ema", "net_g_ema", "generator_ema", "g_ema"),
    *("params", "state_dict", "model_state_dict", "model", "network", "net"),
    *("netG", "net_g", "generator", "G", "g", "weights"),
)
_CHOSEN = (  # beside discriminators, losses, ...
    *("generator_ema.", "netG_ema.", "net_g_ema.", "ema_model."),
    *("generator.", "netG.", "net_g.", "G."),
)
_WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel, of torch.compile
_MAX_DEPTH = 50
_MAX_ENTRIES = 200_000  # a few bytes of pickle can refer to one dict from everywhere
_LONGEST_NAME = 300


def network_state(tree: Any) -> dict[str, np.ndarray]:
    """The network's tensors in what `torch_files` reads, by their dotted names.

    Looks for them where toolboxes put them (an average before the last iterate), takes whole
    pickled modules apart, and drops the prefixes that wrappers add.

    Raises:
      ValueError: for a name that occurs twice, nesting without an end, damaged tensors.
    """
    for _ in range(_MAX_DEPTH):
        entries = _entries(tree)
        for name in _CONTAINERS:
            entry = entries.get(name)
            # Inside a module such a name is a layer's, and a tensor's is a parameter's.
            if not _is_module(tree) and not isinstance(entry, Array) and _flat(entry):
                tree = entry
                break
        else:
            break
    return without_prefixes({key: value.array() for key, value in _flat(tree).items()})


def without_prefixes(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Only the generator where a file holds more, and names as the network itself has them."""
    state = dict(state)
    for prefix in _CHOSEN:
        chosen = {key: value for key, value in state.items() if key.startswith(prefix)}
        if chosen:
            state = {key.removeprefix(prefix): value for key, value in chosen.items()}
    state.pop("n_averaged", None)  # torch's AveragedModel counts
    for prefix in _WRAPPERS * 2:  # in either order
        if state and all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _flat(tree: Any) -> dict[str, Array]:
    """All tensors below, named by the path to them; an optimiser's are left out."""
    found: dict[str, Array] = {}
    visited = 0

    def walk(node: Any, above: tuple[str, ...]) -> None:
        nonlocal visited
        if isinstance(node, Array):
            path = ".".join(above)
            if path in found:
                raise ValueError(f"it has two tensors {path[:80]!r}")
            found[path] = node
            return
        for name, value in _entries(node).items():
            visited += 1
            if len(above) == _MAX_DEPTH or visited > _MAX_ENTRIES:
                raise ValueError("it is nested without an end")
            if isinstance(name, str) and len(name) > _LONGEST_NAME:
                raise ValueError(f"it has a name of {len(name)} letters")
            if isinstance(name, str | int) and "optim" not in str(name):
                walk(value, (*above, str(name)))

    walk(tree, ())
    return found


def _is_module(node: Any) -> bool:
    state = node.state if isinstance(node, Object) else None
    return isinstance(state, dict) and "_modules" in state


def _entries(node: Any) -> dict[Any, Any]:
    """What a dict or a pickled object holds; a module: its parameters, buffers and modules."""
    if isinstance(node, dict):
        return node
    if not isinstance(node, Object):
        return {}
    if not _is_module(node):
        return node.state if isinstance(node.state, dict) and not node.items else node.items
    temporary = node.state.get("_non_persistent_buffers_set")
    temporary = temporary if isinstance(temporary, list) else []
    temporary = {name for name in temporary if isinstance(name, str)}
    buffers = _entries(node.state.get("_buffers"))
    return {
        **_entries(node.state.get("_parameters")),
        **{name: value for name, value in buffers.items() if name not in temporary},
        **_entries(node.state["_modules"]),
    }
