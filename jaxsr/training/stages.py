"""A run of two stages: one for PSNR in the folder `psnr`, then the run, which starts from it."""

import dataclasses
from pathlib import Path

from jaxsr.errors import InputError
from jaxsr.training.config import AdversarialConfig, PretrainConfig, TrainConfig
from jaxsr.training.restore import FIRST_STAGE, read_spec


def first_stage(config: TrainConfig) -> TrainConfig | None:
    """The stage for PSNR as a run of its own; None if there is none."""
    before = config.pretrain
    if not before.steps:
        return None
    return dataclasses.replace(
        config,
        steps=before.steps,
        loss=before.loss,
        optimizer=before.optimizer,
        data=dataclasses.replace(config.data, patch=before.patch or config.data.patch),
        adversarial=AdversarialConfig(),
        pretrain=PretrainConfig(),
    )


def stage_folder(workdir: Path) -> Path:
    """Where the stage for PSNR of the run in `workdir` is."""
    return workdir / FIRST_STAGE


def finished(folder: Path, steps: int) -> bool:
    """Whether the run in a folder has done so many steps."""
    try:
        return read_spec(folder)[1] >= steps
    except InputError:
        return False
