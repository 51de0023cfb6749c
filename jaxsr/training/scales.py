"""Which scales a step trains, and how large its HR patches are."""

from collections.abc import Sequence

from jaxsr.data.batches import SCALE, words
from jaxsr.training.config import TrainConfig


def scales_of(config: TrainConfig, step: int) -> tuple[int, ...]:
    """The scales of step number `step`, a function of the seed and the step alone.

    All of them share a batch with `scale_mix` "batch"; with "step" one is drawn, all equally
    likely.
    """
    if not config.scales:
        return (config.scale,)
    if config.scale_mix == "batch":
        return config.scales
    word = int(words(SCALE, config.seed, step, 1)[0])
    # The high bits of word * n are uniform below n, to one part in 2^64 / n.
    return (config.scales[word * len(config.scales) >> 64],)


def hr_patch(config: TrainConfig, scales: Sequence[int]) -> int:
    """The side of the HR patches for these scales.

    One drawn for a step has LR patches as large as those of `config.scale`; those that share a
    batch have its HR patches.
    """
    if len(scales) > 1:
        return config.data.patch
    return config.data.patch // config.scale * scales[0]


def largest_patch(config: TrainConfig) -> int:
    """The largest `hr_patch` of the run."""
    if config.scale_mix == "batch":
        return config.data.patch
    return max(hr_patch(config, (scale,)) for scale in config.scales or (config.scale,))
