"""Networks with heads for several scales: which parameters a scale uses.

Such a network (MDSR, CARN) holds the parameters of all its scales and runs those of one. Its
submodules that serve one scale only are named after it: "upsample_x3".
"""

import re
from typing import Any

from jaxsr.errors import InputError


def head_scale(name: str) -> int | None:
    """The scale that a top-level submodule of this name serves; None if it serves all."""
    suffix = re.search(r"_x(\d+)$", name)
    return None if suffix is None else int(suffix[1])


def other_scale(name: str, scale: int) -> bool:
    """Whether a top-level submodule of this name serves a scale other than `scale`."""
    return head_scale(name) not in (None, scale)


def scales_to_run(model: Any) -> tuple[int, ...]:
    """The scales whose submodules `model` calls: `scale`, and when initialising all `scales`.

    What the others return is thrown away; they are called so that their parameters exist.

    Raises:
      InputError: if `scale` is none of `scales`.
    """
    if model.scale not in model.scales:
        held = ", ".join(map(str, model.scales))
        raise InputError(f"{type(model).__name__} holds no scale {model.scale}; it holds {held}")
    return model.scales if model.is_initializing() else (model.scale,)
