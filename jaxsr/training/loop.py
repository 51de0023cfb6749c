"""The training loop, top to bottom: open, restore, step, look, save.

The train step is pure; everything with an effect is here. A run is a function of its config
alone: batches are a function of (seed, step), the state holds the rest, so a run that was stopped
anywhere and started again ends as if it had not been.
"""

import dataclasses
import errno
import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsr.data import Plan, build_cache, cache_folder, make_batch, make_plan, open_source, prefetch
from jaxsr.degradations import get_degradation
from jaxsr.errors import InputError
from jaxsr.evaluation import (
    SetResult,
    TestImage,
    crop_hr,
    evaluate,
    make_scorer,
    read_test_set,
)
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.side_by_side import side_by_side
from jaxsr.training.checkpoint import Checkpoints, read_spec
from jaxsr.training.config import TrainConfig, from_dict, to_dict
from jaxsr.training.digests import step_folders
from jaxsr.training.lock import locked
from jaxsr.training.meter import Meter, Say, progress_bar
from jaxsr.training.optimizer import make_optimizer, make_schedule
from jaxsr.training.rules import check
from jaxsr.training.runlog import RunLog, versions, write_json
from jaxsr.training.scales import hr_patch, largest_patch, scales_of
from jaxsr.training.signals import stop_signals
from jaxsr.training.state import create_state, evaluated_variables
from jaxsr.training.step import TrainStep, make_train_step
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
    tests = _validation_images(config)
    cache = build_cache(
        open_source(config.data.train),
        memory_limit=config.data.memory_limit_mib << 20,
        folder=cache_folder(),
        rescale=config.data.rescale,
        min_size=largest_patch(config),
    )
    if small := cache.left_out:
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        names = ", ".join(small[:5])
        say(f"left out, smaller than the {largest_patch(config)} px patch: {names}{more}")
    plan = make_plan(cache, config.data.patch)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        with locked(workdir):
            # Again: another run may have ended here while the images were read.
            _refuse_another_run(workdir, config, say=lambda line: None)
            return _run(config, workdir, tests, plan, start_variables, say)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise InputError(f"{workdir}: cannot write the run folder ({error.strerror})") from error


def _run(
    config: TrainConfig,
    workdir: Path,
    tests: list[TestImage],
    plan: Plan,
    start_variables: dict[str, Any] | None,
    say: Say,
) -> Outcome:
    """The run itself, in a folder that is locked."""
    model: Any = create_model(config.model, scale=config.scale, **config.model_args)
    protocol = get_protocol(config.protocol)
    degrade = get_degradation(config.degradation, config.scale)

    # One mesh of all devices: the batch is split, everything else is on each of them.
    devices = jax.device_count()
    mesh = jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,))
    split = NamedSharding(mesh, PartitionSpec("data"))
    everywhere = NamedSharding(mesh, PartitionSpec())

    optimizer = make_optimizer(config.optimizer, config.steps)
    state = create_state(model, optimizer, jax.random.key(config.seed), ema=config.ema > 0)
    state = jax.device_put(state, everywhere)

    @functools.cache
    def step_fn(scales: tuple[int, ...]) -> TrainStep:
        """One program for each set of scales that is trained in one step."""
        step = make_train_step(
            [create_model(config.model, scale=s, **config.model_args) for s in scales],
            optimizer,
            get_loss(config.loss),
            protocol,
            [get_degradation(config.degradation, s) for s in scales],
            config.ema,
            get_supervision(config.supervision, config.anneal_steps),
        )
        # Without the pinned result the compiler may lay the next state out otherwise.
        return jax.jit(step, donate_argnums=0, out_shardings=(everywhere, everywhere))

    scorer = make_scorer(model, protocol, degrade)

    spec = {"config": to_dict(config), "versions": versions()}
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
            f"{len(plan.images)} images, {plan.epoch_length} patches an epoch, {config.steps} steps"
        )

        def make(step: int) -> jax.Array:
            # The visits of an epoch stay the same whatever the size of a step's patches.
            sized = dataclasses.replace(plan, patch=hr_patch(config, scales_of(config, step)))
            hr = make_batch(
                sized, config.seed, step, batch=config.data.batch, augment=config.data.augment
            )
            return jax.device_put(hr, split)

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
            batches = prefetch(make, step, config.steps)
            for hr in batches:
                state, metrics = step_fn(scales_of(config, step))(state, hr)
                # Reading one step behind keeps the device busy and the steps in flight bounded.
                if pending is not None:
                    meter.read(pending)
                pending = metrics
                step += 1
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
            bicubic, picture = _compare(config, workdir, tests, result)
        log.close()
        return Outcome(step, result, bicubic, picture, None)


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


def _validation_images(config: TrainConfig) -> list[TestImage]:
    """Images of files and folders as they are; of datasets, the split `validation`."""
    from jaxsr.data.source import find_dataset, read_validation

    tests: list[TestImage] = []
    protocol = get_protocol(config.protocol)
    for path in config.data.validation:
        if find_dataset(Path(path)) is None:
            tests += read_test_set(path, config.scale, protocol)
            continue
        for name, hr in read_validation(path):
            tests.append(TestImage(name, crop_hr(hr, config.scale, name)))
    return tests


def _compare(
    config: TrainConfig, workdir: Path, tests: Sequence[TestImage], result: SetResult
) -> tuple[SetResult, Path]:
    """Scores bicubic on the same images and writes the side-by-side picture."""
    from jaxsr.image.io import Picture, write_image

    protocol = get_protocol(config.protocol)
    degrade = get_degradation(config.degradation, config.scale)
    scorer = make_scorer(create_model("bicubic", scale=config.scale), protocol, degrade)
    bicubic = evaluate(scorer, {}, tests)
    columns = [("bicubic", bicubic.images), (config.model, result.images)]
    picture = workdir / "side_by_side.png"
    write_image(picture, Picture(side_by_side(tests[:4], columns, config.scale), None))
    return bicubic, picture
