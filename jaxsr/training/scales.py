"""Which scales a step trains, how large its HR patches are, and how steps share a call."""

from collections.abc import Sequence

import numpy as np

from jaxsr.data.batches import SCALE, below, words
from jaxsr.training.config import TrainConfig
from jaxsr.training.turns import turn_of


def scales_of(config: TrainConfig, step: int) -> tuple[int, ...]:
    """The scales of step number `step`, a function of the seed and the step alone.

    All of them share a batch with `scale_mix` "batch"; with "step" one is drawn, all equally
    likely.
    """
    if not config.scales:
        return (config.scale,)
    if config.scale_mix == "batch":
        return config.scales
    return (config.scales[below(words(SCALE, config.seed, 0, step, 1)[0], len(config.scales))[0]],)


def hr_patch(config: TrainConfig, scales: Sequence[int], step: int = 0) -> int:
    """The side of the HR patches for these scales, at this point of the curriculum.

    One drawn for a step has LR patches as large as those of `config.scale`; those that share a
    batch have its HR patches.
    """
    grown = sum(step >= at for at in config.data.grow_at)
    patch = (config.data.patch, *config.data.grow_to)[grown]
    return patch if len(scales) > 1 else patch // config.scale * scales[0]


def hr_cut(config: TrainConfig, step: int) -> int:
    """The side of what is cut out of HR images at a step: the patch and its border."""
    return hr_patch(config, scales_of(config, step), step) + 2 * config.data.border


def largest_cut(config: TrainConfig) -> int:
    """The largest `hr_cut` of the run."""
    return max(_patches(config)) + 2 * config.data.border


def smallest_patch(config: TrainConfig) -> int:
    """The smallest `hr_patch` of the run."""
    return min(_patches(config))


def _patches(config: TrainConfig) -> list[int]:
    share = config.scale_mix == "batch" and config.scales
    groups = [config.scales] if share else [(s,) for s in config.scales or (config.scale,)]
    steps = (0, *config.data.grow_at)
    return [hr_patch(config, g, s) for g in groups for s in steps]


def call_starts(config: TrainConfig, start: int, per_call: int) -> np.ndarray:
    """The first steps of the calls to the device from `start` on, and the end of the run.

    `per_call` steps go into one call where they begin at a multiple of it, are of one kind, and
    no validation or checkpoint is due between them; so a run that is stopped after a call and
    started again makes the same calls. All others go alone, and so do all where each step draws
    its scale: few neighbours draw the same, and to look for them would take minutes.
    """
    if per_call == 1 or (len(config.scales) > 1 and config.scale_mix == "step"):
        return np.arange(start, config.steps + 1)
    starts, step = [], start
    while step < config.steps:
        starts.append(step)
        step += per_call if _one_call(config, step, per_call) else 1
    return np.array([*starts, config.steps])


def _one_call(config: TrainConfig, step: int, count: int) -> bool:
    if step % count or step + count > config.steps:
        return False
    for every in (config.validate_every, config.checkpoint_every):
        if step // every != (step + count - 1) // every:
            return False
    kinds = {
        (scales_of(config, s), hr_cut(config, s), turn_of(config.adversarial, s))
        for s in range(step, step + count)
    }
    return len(kinds) == 1
