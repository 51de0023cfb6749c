"""Ctrl-C and SIGTERM as a request to save and leave."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Stop:
    """`name` is the signal that came, or None."""

    name: str | None = None


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """While open, the first SIGINT or SIGTERM only sets `name`; a second one acts as usual."""
    stop = Stop()
    previous: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        stop.name = signal.Signals(number).name
        signal.signal(number, previous[number])

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[int(number)] = signal.signal(number, note)
    except ValueError:  # only the main thread may: elsewhere whoever runs us handles signals
        pass
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
