"""What a person sees of a run: the progress bar, log lines, skipped updates, and the stop at too
many of these."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from jaxsr.errors import InputError
from jaxsr.training.config import TrainConfig
from jaxsr.training.feed import rows
from jaxsr.training.restore import FIRST_STAGE
from jaxsr.training.runlog import RunLog
from jaxsr.training.step import Metrics

Say = Callable[[str], None]
T = TypeVar("T")


class Meter:
    """Reads the metrics of each step; every `log_every` steps they are logged and shown.

    Args:
      start: the step that the run starts from.
      schedule: step -> learning rate.
      bar: a tqdm bar; while it is disabled (no terminal), lines go to `say` instead.
      stage: its name, for these lines.
    """

    def __init__(
        self,
        config: TrainConfig,
        start: int,
        schedule: Callable[[int], Any],
        bar: Any,
        log: RunLog,
        say: Say,
        stage: str = "",
    ) -> None:
        self._config, self._schedule = config, schedule
        self._bar, self._log, self._say, self._stage = bar, log, say, stage
        self._step, self._seconds, self._steps, self._waited = start, 0.0, 0, 0.0
        self._latest: dict[str, float] = {}  # not every step of an adversarial run has all of them
        self._skipped, self._in_row = 0, 0
        self.resume()

    def resume(self) -> None:
        """Starts the clock again after something that is not training, such as validation."""
        self._clock = time.perf_counter()

    @property
    def skipping(self) -> bool:
        """Whether the update of the newest step that was read was skipped."""
        return self._in_row > 0

    def watch(self, batches: Iterator[T]) -> Generator[T, None, None]:
        """The same batches; the time that the loop waits for them is counted."""
        while True:
            begin = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            self._waited += time.perf_counter() - begin
            yield batch

    def read(self, metrics: Metrics) -> None:
        """Waits for the metrics of the next call and takes note of them.

        Raises:
          InputError: if `config.guard.skips` updates in a row were skipped.
        """
        steps = rows(metrics)
        now = time.perf_counter()
        spent, self._clock = now - self._clock, now
        for values in steps:
            self._seconds += spent / len(steps)
            self._step, self._steps = self._step + 1, self._steps + 1
            self._bar.update(1)
            self._note(values)

    def _note(self, values: dict[str, float]) -> None:
        if values.get("skipped"):
            self._skipped += 1
            self._in_row += 1
            self._tell_skipped(values)
        else:
            self._in_row = 0
            self._latest |= values
        if self._step % self._config.log_every == 0 or self._step == self._config.steps:
            self._show(self._latest or values)

    def _tell_skipped(self, values: dict[str, float]) -> None:
        """Once for each row of skipped updates; too long a row ends the run."""
        watched = {k: v for k, v in values.items() if k.split("/")[-1] in ("loss", "grad_norm")}
        bad = [name for name, value in watched.items() if not math.isfinite(value)]
        name = bad[0] if bad else "loss"
        what = f"{name} is {watched[name]:.4g}"
        if not bad:
            what += f", more than {self._config.guard.spike:g} times its running mean,"
        if self._in_row >= self._config.guard.skips:
            field = "pretrain.optimizer" if self._stage == FIRST_STAGE else "optimizer"
            raise InputError(
                f"the training diverged: {what} at step {self._step}, the last of {self._in_row} "
                f"skipped in a row; lower config.{field}.learning_rate or set "
                f"config.{field}.clip_norm, and start again (what was saved before is whole)"
            )
        if self._in_row == 1:
            self._say(f"step {self._step}: {what}; the update is skipped")

    def _show(self, values: dict[str, float]) -> None:
        seconds = max(self._seconds, 1e-9)
        rate = self._steps * self._config.data.batch / seconds
        wait = min(1.0, self._waited / seconds)
        self._seconds, self._steps, self._waited = 0.0, 0, 0.0
        scalars = {f"train/{name}": value for name, value in values.items()}
        scalars["train/skipped"] = self._skipped  # since the run was started, or started again
        scalars["train/learning_rate"] = float(self._schedule(self._step - 1))
        scalars["train/images_per_second"] = rate
        scalars["train/data_wait"] = wait  # share of the time
        self._log.scalars(self._step, scalars)
        text = f"{_text(values)}{rate:.0f} images/s, {wait:.1%} waiting for data"
        if self._bar.disable:
            stage = f"{self._stage} " if self._stage else ""
            self._say(f"{stage}step {self._step}/{self._config.steps}: {text}")
        else:
            self._bar.set_postfix_str(text)


def _text(values: dict[str, float]) -> str:
    """The numbers of a step for people: the objective, its terms, PSNR, the discriminators."""
    text = f"loss {values['loss']:.5f}, " if "loss" in values else ""
    for name, value in values.items():
        if name.startswith("loss/"):
            text += f"{name.removeprefix('loss/')} {value:.5f}, "
    text += f"PSNR {values['psnr']:.2f} dB, "
    for name in (key.removesuffix("/real") for key in values if key.endswith("/real")):
        of = {key: values[f"{name}/{key}"] for key in ("real", "fake")}
        right = [f"{values[f'{name}/accuracy_{key}']:.0%}" for key in of]
        text += f"D {name}: HR {of['real']:.2f}, SR {of['fake']:.2f}, right {'/'.join(right)}, "
    return text


def progress_bar(steps: int, start: int, stage: str = "") -> Any:
    """A tqdm bar on a terminal; disabled elsewhere."""
    from tqdm import tqdm

    about: Any = {"unit": "step", "dynamic_ncols": True, "disable": None}
    return tqdm(desc=stage or None, total=steps, initial=start, **about)
