"""A run folder belongs to one run: what may not change when it goes on."""

import dataclasses
import operator
from pathlib import Path
from typing import Any

from jaxsr.errors import InputError
from jaxsr.training.config import TrainConfig, from_dict
from jaxsr.training.meter import Say
from jaxsr.training.restore import read_spec

_NETWORK = ("model", "scale", "model_args", "protocol", "degradation")


def refuse_another_run(
    workdir: Path, config: TrainConfig, say: Say, *, network_alone: bool = False
) -> None:
    """Says what has changed since the run so far in a folder, if it has one.

    Args:
      network_alone: the run is complete and its network is all that is wanted of it, whatever
        trained it.

    Raises:
      InputError: for what may not change, named by its field; or if the folder is none.
    """
    if workdir.exists() and not workdir.is_dir():
        raise InputError(f"--workdir: {workdir} is not a folder")
    try:
        stored = from_dict(read_spec(workdir / "checkpoints")[0]["config"])
    except InputError:
        return  # there is none, or restoring will say what is wrong with it
    olds, news = _identity(stored), _identity(config)
    for name in _NETWORK if network_alone else {**olds, **news}:
        old, new = olds.get(name), news.get(name)
        if old != new:
            raise InputError(
                f"--workdir: {workdir} holds a run with {name} {old}, the config says {new}; "
                "use another --workdir"
            )
    for name in (f.name for f in dataclasses.fields(TrainConfig)):
        if getattr(stored, name) != getattr(config, name):
            say(f"note: config.{name} differs from the run so far in {workdir}")


def _identity(config: TrainConfig) -> dict[str, Any]:
    """What may not change between a checkpoint and the run that goes on from it, by its name."""
    names = (*_NETWORK, "optimizer.name")
    fields = {name: operator.attrgetter(name)(config) for name in names}
    # Decay and threshold may change, but not whether there is an average, or a running mean.
    fields |= {"ema": config.ema > 0, "guard.spike": config.guard.spike > 0}
    adversarial = config.adversarial
    for name, one in adversarial.discriminators.items():
        where = f"adversarial.discriminators.{name}"
        fields[where] = f"{one.model} {one.model_args} on {one.on}"
    if adversarial.discriminators:
        fields["adversarial.optimizer.name"] = adversarial.optimizer.name
        fields["adversarial.lag"] = adversarial.lag > 0
    return fields
