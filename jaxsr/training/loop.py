"""The training loop, top to bottom: open, restore, step, look, save.

The train step is pure; everything with an effect is here. A run is a function of its config
alone: batches are a function of (seed, step), the state holds the rest, so a run that was stopped
anywhere and started again ends as if it had not been.
"""

import dataclasses
import errno
import functools
import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsr.data import prefetch
from jaxsr.degradations import Degradation, find_spec, resolve
from jaxsr.errors import InputError
from jaxsr.evaluation import SetResult, TestImage, degradation_of, evaluate, make_scorer
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.side_by_side import side_by_side
from jaxsr.training.checkpoint import Checkpoints, read_spec
from jaxsr.training.config import TrainConfig, from_dict, to_dict
from jaxsr.training.digests import step_folders
from jaxsr.training.feed import Feed, steps_per_call
from jaxsr.training.inputs import Inputs, open_inputs
from jaxsr.training.lock import locked
from jaxsr.training.meter import Meter, Say, progress_bar
from jaxsr.training.optimizer import make_optimizer, make_schedule
from jaxsr.training.pairing import make_pairing
from jaxsr.training.rules import check
from jaxsr.training.runlog import RunLog, versions, write_json
from jaxsr.training.scales import call_starts, hr_cut, scales_of
from jaxsr.training.signals import stop_signals
from jaxsr.training.state import create_state, evaluated_variables
from jaxsr.training.step import make_train_step
from jaxsr.training.supervision import get_supervision
from jaxsr.training.warm_start import read_start, start_from

_CANNOT_WRITE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ENAMETOOLONG),
)
# What may not change between a checkpoint and the run that goes on from it.
_IDENTITY = ("model", "scale", "model_args", "protocol", "degradation", "ema", "optimizer.name")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the step reached, the last validation, bicubic's, the picture, the signal
    that stopped it early (or None)."""

    step: int
    validation: SetResult | None
    bicubic: SetResult | None
    picture: Path | None
    stopped_by: str | None


def train(config: TrainConfig, workdir: str | Path, *, say: Say) -> Outcome:
    """Trains `config` in `workdir`, going on from its newest whole checkpoint if it has one.

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
    _refuse_another_run(workdir, config, say)

    # Inputs first: a broken file must show before a run folder appears.
    start_variables = None
    if config.init_from and not step_folders(workdir / "checkpoints"):
        model = create_model(config.model, scale=config.scale, **config.model_args)
        start_variables = read_start(config.init_from, model)
    inputs = open_inputs(config, say)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        with locked(workdir):
            # Again: another run may have ended here while the images were read.
            _refuse_another_run(workdir, config, say=lambda line: None)
            return _run(config, workdir, inputs, start_variables, say)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise InputError(f"{workdir}: cannot write the run folder ({error.strerror})") from error


def _run(
    config: TrainConfig,
    workdir: Path,
    inputs: Inputs,
    start_variables: dict[str, Any] | None,
    say: Say,
) -> Outcome:
    """The run itself, in a folder that is locked."""
    model: Any = create_model(config.model, scale=config.scale, **config.model_args)
    protocol = get_protocol(config.protocol)
    plan, tests = inputs.plan, inputs.tests

    # One mesh of all devices: the batch is split, everything else is on each of them.
    devices = jax.device_count()
    mesh = jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    feed = Feed(config, plan, mesh)

    optimizer = make_optimizer(config.optimizer, config.steps)
    state = create_state(model, optimizer, jax.random.key(config.seed), ema=config.ema > 0)
    state = jax.device_put(state, everywhere)

    @functools.cache
    def program(scales: tuple[int, ...], cut: int, count: int) -> Callable:
        """One for each kind of call: its scales, the side of its patches, its number of steps."""
        step = make_train_step(
            [create_model(config.model, scale=s, **config.model_args) for s in scales],
            [
                make_pairing(protocol, degradation_of(config.degradation, s), s, config.data)
                for s in scales
            ],
            optimizer,
            get_loss(config.loss),
            config.ema,
            get_supervision(config.supervision, config.anneal_steps),
        )
        return feed.program(step, cut, count)

    degrade = degradation_of(config.degradation, config.scale)
    scorer = make_scorer(model, protocol, degrade)

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
            state = start_from(state, start_variables, config.init_from, say)
            state = jax.device_put(state, everywhere)
        step = start
        write_json(workdir / "config.json", spec["config"])
        write_json(workdir / "versions.json", spec["versions"])
        log = RunLog(workdir, start)
        say(
            f"{config.model} x{config.scale} on {devices} {jax.default_backend()} device(s): "
            f"{len(plan.hr)} images, {plan.epoch_length} patches an epoch, {config.steps} steps"
        )

        def validate() -> SetResult | None:
            if not tests:
                return None
            result = evaluate(scorer, evaluated_variables(state), tests)
            if step > start:  # else it is the end of a complete run: in the log already
                log.scalars(step, {"validation/psnr": result.psnr, "validation/ssim": result.ssim})
                shown = [(config.model, result.images)]
                picture = side_by_side(tests[:4], shown, config.scale, show_lr=True)
                log.picture(step, "validation", picture)
            say(
                f"step {step}: validation PSNR-Y {result.psnr:.2f} dB, SSIM-Y {result.ssim:.4f} "
                f"({protocol.name})"
            )
            return result

        result: SetResult | None = None
        pending = None  # the metrics of the newest step, not read yet
        with progress_bar(config.steps, step) as bar:
            meter = Meter(
                config, step, make_schedule(config.optimizer, config.steps), bar, log, say
            )
            starts = call_starts(config, step, steps_per_call(config))
            batches = prefetch(
                lambda call: feed.make(int(starts[call]), int(starts[call + 1])),
                *(0, len(starts) - 1),
                threads=min(4, os.cpu_count() or 1),
            )
            for end, batch in zip(starts[1:].tolist(), meter.watch(batches), strict=True):
                call = program(scales_of(config, step), hr_cut(config, step), end - step)
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
                    meter.read(pending)  # a diverged step must not be saved
                    pending = None
                    result = validate() if look else None
                    scores = {"psnr": result.psnr, "ssim": result.ssim} if result else None
                    checkpoints.save(step, state, spec=spec, metrics=scores)
                    meter.resume()
                if stopping and not last:
                    break
            batches.close()
        checkpoints.wait()
        if step < config.steps:
            log.close()
            say(f"{stop.name}: saved step {step}; the same command goes on from there")
            return Outcome(step, None, None, None, stop.name)
        result = result or validate()  # None: the run was complete when it was started again
        bicubic, picture = None, None
        if result is not None:
            bicubic, picture = _compare(config, degrade, workdir, tests, result)
        log.close()
        return Outcome(step, result, bicubic, picture, None)


def _self_contained(config: TrainConfig) -> TrainConfig:
    """A degradation of its own with its files' contents: checkpoints tell what LR was seen."""
    spec = find_spec(config.degradation)
    if not isinstance(spec, str):
        spec = resolve(spec, config.scale)
    # As it will come back from JSON.
    return from_dict(to_dict(dataclasses.replace(config, degradation=spec)))


def _refuse_another_run(workdir: Path, config: TrainConfig, say: Say) -> None:
    """A run folder belongs to one model: names the field that differs."""
    if workdir.exists() and not workdir.is_dir():
        raise InputError(f"--workdir: {workdir} is not a folder")
    try:
        stored = from_dict(read_spec(workdir / "checkpoints")[0]["config"])
    except InputError:
        return  # there is none, or restoring will say what is wrong with it
    for name in _IDENTITY:
        old, new = (operator.attrgetter(name)(c) for c in (stored, config))
        if name == "ema":  # the decay may change, but not whether there is an average
            old, new = old > 0, new > 0
        if old != new:
            raise InputError(
                f"--workdir: {workdir} holds a run with {name} {old}, the config says {new}; "
                "use another --workdir"
            )
    for name in (f.name for f in dataclasses.fields(TrainConfig)):
        if getattr(stored, name) != getattr(config, name):
            say(f"note: config.{name} differs from the run so far in {workdir}")


def _compare(
    config: TrainConfig,
    degrade: Degradation | None,
    workdir: Path,
    tests: Sequence[TestImage],
    result: SetResult,
) -> tuple[SetResult, Path]:
    """Scores bicubic on the same images and writes the side-by-side picture."""
    from jaxsr.image.io import Picture, write_image

    protocol = get_protocol(config.protocol)
    scorer = make_scorer(create_model("bicubic", scale=config.scale), protocol, degrade)
    bicubic = evaluate(scorer, {}, tests)
    columns = [("bicubic", bicubic.images), (config.model, result.images)]
    picture = workdir / "side_by_side.png"
    write_image(picture, Picture(side_by_side(tests[:4], columns, config.scale), None))
    return bicubic, picture
