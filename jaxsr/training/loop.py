"""The training loop, top to bottom: open, restore, step, look, save.

The train step is pure; everything with an effect is here. A run is a function of its config
alone: batches are a function of (seed, step), the state holds the rest, so a run that was stopped
anywhere and started again ends as if it had not been.
"""

import dataclasses
import errno
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsr.data import prefetch
from jaxsr.degradations import find_spec, resolve
from jaxsr.errors import InputError
from jaxsr.training.adversarial_state import generator_of, make_judges, with_generator
from jaxsr.training.checkpoint import Checkpoints
from jaxsr.training.config import TrainConfig, from_dict, to_dict
from jaxsr.training.digests import step_folders
from jaxsr.training.feed import Feed, steps_per_call
from jaxsr.training.inputs import Inputs, open_inputs
from jaxsr.training.lock import locked
from jaxsr.training.meter import Meter, Say, progress_bar
from jaxsr.training.optimizer import make_schedule
from jaxsr.training.restore import FIRST_STAGE, load_model
from jaxsr.training.rules import check
from jaxsr.training.runlog import RunLog, versions, write_json
from jaxsr.training.same_run import refuse_another_run
from jaxsr.training.scales import call_starts, hr_cut, scales_of
from jaxsr.training.setup import build_step, fresh_state, model_of
from jaxsr.training.signals import stop_signals
from jaxsr.training.stages import finished, first_stage, stage_folder
from jaxsr.training.state import evaluated_variables
from jaxsr.training.turns import Turn, turn_of
from jaxsr.training.validation import Comparison, Scores, Validation, compare
from jaxsr.training.warm_start import read_start, start_from

_CANNOT_WRITE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ENAMETOOLONG),
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the step reached, how it compares with bicubic (None without validation
    images), and the signal that stopped it early (or None)."""

    step: int
    comparison: Comparison | None
    stopped_by: str | None


def train(config: TrainConfig, workdir: str | Path, *, say: Say) -> Outcome:
    """Trains `config` in `workdir`, going on from its newest whole checkpoint if it has one.

    A stage for PSNR, if the config has one, is a run in the folder `psnr` of `workdir`, and goes
    first; this run starts from its best checkpoint.

    Args:
      config: the run; checked before anything is read or written.
      workdir: the run folder, made if missing.
      say: prints a line for the user.

    Raises:
      InputError: for a config, images, or a run folder that cannot be used.
    """
    if jax.process_count() > 1:
        raise InputError("training runs in one process, on all of its devices; start only one")
    config = _self_contained(config)
    check(config)
    devices = jax.device_count()
    if config.data.batch % devices:
        raise InputError(
            f"config.data.batch: {config.data.batch} does not split over {devices} devices"
        )
    workdir = Path(workdir)
    refuse_another_run(workdir, config, say)
    first, start = first_stage(config), config.init_from
    stage = "adversarial" if config.adversarial.discriminators else ""
    if first is not None:
        stage = stage or "second"
        if not step_folders(workdir / "checkpoints"):
            folder = stage_folder(workdir)
            done = finished(folder, first.steps)
            # What trained a finished stage does not matter any more.
            refuse_another_run(folder, first, say, network_alone=done)
            if not done:
                if first.data.patch != config.data.patch:
                    open_inputs(config, lambda line: None)  # patches too large must show now
                say(f"stage 1 of 2, for PSNR, in {folder}")
                outcome = _train_stage(first, folder, start, FIRST_STAGE, say)
                if outcome.stopped_by is not None:
                    say(f"{outcome.stopped_by}: stopped in stage 1 of 2")
                    return outcome
            start = str(folder)
        say(f"stage 2 of 2, {stage}, in {workdir}")
    outcome = _train_stage(config, workdir, start, stage, say)
    # A signal that came in the last step stopped nothing.
    complete = outcome.step >= config.steps
    return dataclasses.replace(outcome, stopped_by=None) if complete else outcome


def _train_stage(config: TrainConfig, workdir: Path, start: str, stage: str, say: Say) -> Outcome:
    """One stage: the inputs, and the run in its locked folder.

    Args:
      start: the run folder or weights file that a fresh run starts from; "" for none.
      stage: its name in logs; "" for a run without stages.
    """
    # Inputs first: a broken file must show before a run folder appears.
    start_variables = None
    if start and not step_folders(workdir / "checkpoints"):
        start_variables = read_start(start, model_of(config), say)
    inputs = open_inputs(config, say)
    validation = Validation(config, inputs.tests, say) if inputs.tests else None
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        with locked(workdir):
            # Again: another run may have ended here while the images were read.
            refuse_another_run(workdir, config, say=lambda line: None)
            opened = (inputs, validation, start, start_variables)
            return _run(config, workdir, *opened, stage, say)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise InputError(f"{workdir}: cannot write the run folder ({error.strerror})") from error


def _run(
    config: TrainConfig,
    workdir: Path,
    inputs: Inputs,
    validation: Validation | None,
    start_path: str,
    start_variables: dict[str, Any] | None,
    stage: str,
    say: Say,
) -> Outcome:
    """The run itself, in a folder that is locked."""
    plan, adversarial = inputs.plan, config.adversarial

    # One mesh of all devices: the batch is split, everything else is on each of them.
    devices = jax.device_count()
    mesh = jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    feed = Feed(config, plan, mesh)

    judges = make_judges(adversarial)
    state: Any = jax.device_put(fresh_state(config, judges), everywhere)

    @functools.cache
    def program(scales: tuple[int, ...], turn: Turn, cut: int, count: int) -> Callable:
        """One for each kind of call: scales, who learns, side of the patches, number of steps."""
        return feed.program(build_step(config, judges, scales, turn), cut, count)

    spec: dict[str, Any] = {"config": to_dict(config), "versions": versions()}
    if config.degradation != "given":  # a preset's numbers may change from version to version
        spec["degradation"] = resolve(config.degradation, config.scale)
    with Checkpoints(workdir / "checkpoints") as checkpoints, stop_signals() as stop:
        restored = checkpoints.restore(state, warn=say)
        start = 0
        if restored is not None:
            state, _, start = restored
            say(f"resuming {workdir} at step {start}")
        elif start_variables is not None:
            generator = start_from(generator_of(state), start_variables, start_path, say)
            state = jax.device_put(with_generator(state, generator), everywhere)
        step = start
        write_json(workdir / "config.json", spec["config"])
        write_json(workdir / "versions.json", spec["versions"])
        log = RunLog(workdir, start, stage)
        say(
            f"{config.model} x{config.scale} on {devices} {jax.default_backend()} device(s): "
            f"{len(plan.hr)} images, {plan.epoch_length} patches an epoch, {config.steps} steps"
        )

        def validate() -> Scores | None:
            if validation is None:
                return None
            scores = validation.score(evaluated_variables(generator_of(state)))
            if step > start:  # else it is the end of a complete run: in the log already
                log.scalars(step, {f"validation/{k}": v for k, v in scores.values.items()})
                shown = validation.picture([(config.model, scores)], show_lr=True)
                log.picture(step, "validation", shown)
            say(f"step {step}: {validation.line(scores)}")
            return scores

        scores: Scores | None = None
        pending = None  # the metrics of the newest step, not read yet
        with progress_bar(config.steps, step, stage) as bar:
            schedule = make_schedule(config.optimizer, config.steps)
            meter = Meter(config, step, schedule, bar, log, say, stage)
            starts = call_starts(config, step, steps_per_call(config))
            batches = prefetch(
                lambda call: feed.make(int(starts[call]), int(starts[call + 1])),
                *(0, len(starts) - 1),
                threads=min(4, os.cpu_count() or 1),
            )
            for end, batch in zip(starts[1:].tolist(), meter.watch(batches), strict=True):
                kind = scales_of(config, step), turn_of(adversarial, step), hr_cut(config, step)
                call = program(*kind, end - step)
                state, metrics = call(state, batch)
                # Reading one step behind keeps the device busy and the steps in flight bounded.
                if pending is not None:
                    meter.read(pending)
                pending = metrics
                step = end
                stopping = stop.name is not None
                last = step == config.steps
                look = last or (step % config.validate_every == 0 and not stopping)
                if look or stopping or step % config.checkpoint_every == 0:
                    meter.read(pending)
                    pending = None
                    if meter.skipping and not (last or stopping):
                        continue  # it may have diverged, and what is saved must be whole
                    scores = validate() if look else None
                    # What comes after a stage for PSNR gives up some of it on purpose.
                    by_psnr = not judges and not config.pretrain.steps
                    ranked = scores.values if scores and by_psnr else None
                    checkpoints.save(step, state, spec=spec, metrics=ranked)
                    meter.resume()
                if stopping and not last:
                    break
            batches.close()
        checkpoints.wait()
        if step < config.steps:
            log.close()
            say(f"{stop.name}: saved step {step}; the same command goes on from there")
            return Outcome(step, None, stop.name)
        scores = scores or validate()  # None: the run was complete when it was started again
        comparison = None
        if validation is not None and scores is not None:
            comparison = _compare(config, workdir, validation, scores, say)
        log.close()
        return Outcome(step, comparison, stop.name)


def _compare(
    config: TrainConfig, workdir: Path, validation: Validation, scores: Scores, say: Say
) -> Comparison:
    """The network beside bicubic and, if the run had one, that of the stage for PSNR."""
    networks, before = [(config.model, scores)], stage_folder(workdir)
    if config.pretrain.steps and step_folders(before / "checkpoints"):
        variables = load_model(before, warn=say)[1]
        networks = [
            (f"{config.model}, stage for PSNR", validation.score(variables)),
            (f"{config.model}, second stage", scores),
        ]
    return compare(validation, networks, workdir / "side_by_side.png")


def _self_contained(config: TrainConfig) -> TrainConfig:
    """A degradation of its own with its files' contents: checkpoints tell what LR was seen."""
    spec = find_spec(config.degradation)
    if not isinstance(spec, str):
        spec = resolve(spec, config.scale)
    # As it will come back from JSON.
    return from_dict(to_dict(dataclasses.replace(config, degradation=spec)))
