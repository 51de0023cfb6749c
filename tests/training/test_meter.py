"""The numbers that the log gets, by a clock that the test moves."""

from typing import Any

import pytest

from jaxsr.training import meter
from jaxsr.training.config import DataConfig, TrainConfig
from jaxsr.training.meter import Meter, progress_bar


class Log:
    def __init__(self):
        self.lines = {}

    def scalars(self, step, values):
        self.lines[step] = values


def test_the_share_of_the_time_that_the_loop_waits(monkeypatch):
    """A batch takes 1 s to wait for and 3 s to train on; what comes between is not counted."""
    clock = [0.0]

    def after(seconds):
        clock[0] += seconds

    monkeypatch.setattr(meter.time, "perf_counter", lambda: clock[0])
    data = DataConfig(("a",), batch=6)
    config = TrainConfig("espcn", 2, "rgb", "mse", steps=4, data=data, log_every=2)
    log: Any = Log()
    lines: list[str] = []
    bar = progress_bar(4, 0)
    bar.disable = True
    watching = Meter(config, 0, lambda step: 0.1, bar, log, lines.append)
    batches = (after(1.0) for _ in range(4))
    for _ in watching.watch(batches):
        after(3.0)
        metrics: Any = {"loss": 1.0, "grad_norm": 1.0, "psnr": 20.0, "loss/l1": 0.5}
        watching.read(metrics)
        after(100.0)
        watching.resume()
    assert list(log.lines) == [2, 4]
    for values in log.lines.values():
        assert values["train/data_wait"] == pytest.approx(0.25)
        assert values["train/images_per_second"] == pytest.approx(12 / 8)
        assert values["train/loss/l1"] == 0.5
    assert "loss 1.00000, l1 0.50000, PSNR 20.00 dB" in lines[0]
    assert "25.0% waiting for data" in lines[0]
