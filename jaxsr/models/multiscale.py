"""Networks with heads for several scales: which parameters a scale uses.

Such a network (MDSR, CARN) holds the parameters of all its scales and runs those of one. Its
submodules that serve one scale only are named after it: "upsample_x3".
"""

import re


def other_scale(name: str, scale: int) -> bool:
    """Whether a top-level submodule of this name serves a scale other than `scale`."""
    suffix = re.search(r"_x(\d+)$", name)
    return suffix is not None and int(suffix[1]) != scale
