"""Work done ahead, in the background."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(
    make: Callable[[int], T], start: int, stop: int, depth: int = 2, threads: int = 1
) -> Generator[T, None, None]:
    """Yields `make(start)` to `make(stop - 1)` in order, computed ahead in the background.

    Up to `depth` results wait or are being made while the caller uses one. What `make` raises is
    raised at its turn. Closing the iterator drops what has not begun and waits for what has.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="jaxsr-data")
    ahead: deque = deque()
    try:
        for step in range(start, stop):
            ahead.append(pool.submit(make, step))
            if len(ahead) > depth:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
