"""ESRGAN's names, three generations of one network: BasicSR and Real-ESRGAN (also mmagic),
xinntao's repository (also KAIR's RRDBNet and BSRGAN), and the first code's `model.N` (also KAIR's
RRDB, whose fifth convolution may be named otherwise).
"""

from collections.abc import Callable, Mapping
from typing import Any

from jaxsr.interop.layout import Found, Layout, State, count, shape
from jaxsr.models.esrgan import RRDBNet, usual_unshuffle

# (dense blocks' convolution {2} of dense block {1} of block {0}, the other layers given the
# numbers of blocks and of enlargements)
_Outer = Callable[[int, int], dict[str, str]]


def _named(trunk: str, upsample: str, hr: str) -> _Outer:
    def outer(blocks: int, steps: int) -> dict[str, str]:
        del blocks
        names = {"head": "conv_first", "trunk": trunk, "hr": hr, "tail": "conv_last"}
        return names | {f"upsample{i}": upsample.format(i + 1) for i in range(steps)}

    return outer


def numbered(blocks: int, steps: int) -> dict[str, str]:
    """The layers of a sequence: model.0, the shortcut 1, [enlargement, conv 3, activation] a step,
    conv, activation, conv."""
    names = {"head": "model.0", "trunk": f"model.1.sub.{blocks}"}
    names |= {f"upsample{i}": f"model.{3 + 3 * i}" for i in range(steps)}
    return names | {"hr": f"model.{2 + 3 * steps}", "tail": f"model.{4 + 3 * steps}"}


def _layout(toolbox: str, dense: str, outer: _Outer, suffix: str = "", last: str = "") -> Layout:
    """`dense` is {block}, {dense block}; its convolutions end in `suffix`, the fifth in `last`."""

    def inside(block: int, i: int) -> dict[str, str]:
        base = dense.format(block, i)
        names = {f"conv{j}": f"{base}.conv{j}{suffix}" for j in range(1, 5)}
        return names | {"conv5": f"{base}.conv5{last}", "conv1x1": f"{base}.conv1x1"}

    def detect(state: State) -> Found | None:
        first = inside(0, 1)
        blocks = count(state, dense.format("{}", 1) + f".conv1{suffix}.weight")
        if not blocks or f"{first['conv5']}.weight" not in state:
            return None
        steps = 0
        while f"{outer(blocks, steps + 1)[f'upsample{steps}']}.weight" in state:
            steps += 1
        layers = outer(blocks, steps)
        head = shape(state, f"{layers['head']}.weight")
        tail = shape(state, f"{layers['tail']}.weight")
        if len(head) != 4 or tail[:1] != (3,) or f"{layers['hr']}.weight" not in state:
            return None
        unshuffle = {3: 1, 12: 2, 48: 4}.get(head[1])
        body = 2**steps
        if unshuffle is None or body % unshuffle:
            return None
        # A convolution after nearest enlargement is the same for 2 and 3.
        scales = (2, 3) if (steps, unshuffle) == (1, 1) else (body // unshuffle,)
        growth = shape(state, f"{first['conv1']}.weight")[:1] or (0,)
        has = {
            "blocks": blocks,
            "features": head[0],
            "growth": growth[0],
            "plus": f"{first['conv1x1']}.weight" in state,
        }
        args = {key: value for key, value in has.items() if value != getattr(RRDBNet, key)}
        if unshuffle != usual_unshuffle(scales[0]):
            args["unshuffle"] = unshuffle
        return Found("esrgan", scales, args)

    def names(model: Any) -> Mapping[str, str]:
        layers = outer(model.blocks, len(model.steps))
        for block in range(model.blocks):
            for i in range(1, 4):
                layers |= {
                    f"block{block}/dense{i}/{ours}": theirs
                    for ours, theirs in inside(block, i).items()
                }
        return layers

    return Layout(toolbox, detect, names)


_FIRST = "model.1.sub.{}.RDB{}"
LAYOUTS = (
    _layout("BasicSR", "body.{}.rdb{}", _named("conv_body", "conv_up{}", "conv_hr")),
    _layout("ESRGAN", "RRDB_trunk.{}.RDB{}", _named("trunk_conv", "upconv{}", "HRconv")),
    _layout("ESRGAN, first code", _FIRST, numbered, suffix=".0", last=".0"),
    _layout("KAIR", _FIRST, numbered, suffix=".0"),
)
