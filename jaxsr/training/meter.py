"""What a person sees of a run: the progress bar, log lines, and the stop at a diverged loss."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from jaxsr.errors import InputError
from jaxsr.training.config import TrainConfig
from jaxsr.training.feed import rows
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
    """

    def __init__(
        self,
        config: TrainConfig,
        start: int,
        schedule: Callable[[int], Any],
        bar: Any,
        log: RunLog,
        say: Say,
    ) -> None:
        self._config, self._schedule = config, schedule
        self._bar, self._log, self._say = bar, log, say
        self._step, self._seconds, self._steps, self._waited = start, 0.0, 0, 0.0
        self.resume()

    def resume(self) -> None:
        """Starts the clock again after something that is not training, such as validation."""
        self._clock = time.perf_counter()

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
          InputError: if the loss or the gradient is not finite.
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
        for name in ("loss", "grad_norm"):
            if not math.isfinite(values[name]):
                raise InputError(
                    f"the training diverged: {name} is {values[name]} at step {self._step}; lower "
                    "config.optimizer.learning_rate or set config.optimizer.clip_norm, and start "
                    "again (what was saved before is whole)"
                )
        if self._step % self._config.log_every == 0 or self._step == self._config.steps:
            self._show(values)

    def _show(self, values: dict[str, float]) -> None:
        seconds = max(self._seconds, 1e-9)
        rate = self._steps * self._config.data.batch / seconds
        wait = min(1.0, self._waited / seconds)
        self._seconds, self._steps, self._waited = 0.0, 0, 0.0
        scalars = {f"train/{name}": value for name, value in values.items()}
        scalars["train/learning_rate"] = float(self._schedule(self._step - 1))
        scalars["train/images_per_second"] = rate
        scalars["train/data_wait"] = wait  # share of the time
        self._log.scalars(self._step, scalars)
        named = (name for name in values if name.startswith("loss/"))
        terms = ", ".join(f"{name.removeprefix('loss/')} {values[name]:.5f}" for name in named)
        text = f"loss {values['loss']:.5f}, " + (f"{terms}, " if terms else "")
        text += f"PSNR {values['psnr']:.2f} dB, {rate:.0f} images/s, "
        text += f"{wait:.1%} waiting for data"
        if self._bar.disable:
            self._say(f"step {self._step}/{self._config.steps}: {text}")
        else:
            self._bar.set_postfix_str(text)


def progress_bar(steps: int, start: int) -> Any:
    """A tqdm bar on a terminal; disabled elsewhere."""
    from tqdm import tqdm

    return tqdm(total=steps, initial=start, unit="step", dynamic_ncols=True, disable=None)
