"""Training batches as a pure function of (seed, step).

Record r of a training run is the r-th HR patch cut since its start: step `k` holds records
`k * batch` to `(k + 1) * batch - 1`. Which image it comes from, where it is cut and how it is
turned depend on the seed and r alone, so the same patches come out on any number of hosts and
threads and after any restart, and the data position of a checkpoint is its step number.

An epoch visits an image once per patch-sized tile that it has room for: every pixel of the set is
then about equally likely, as with the papers' fixed-stride tiles, whatever the image sizes.
"""

import functools
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from jaxsr.errors import InputError

T = TypeVar("T")

# The word of Philox's counter that keeps the kinds of draws apart.
_ORDER, _CROP, SCALE = 0, 1, 2


class HRImages(Protocol):
    """Decoded images: a `Cache`, or a list of uint8 [H, W, 3] arrays."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Plan:
    """The images, the patch side and, for each of an epoch's records, the image it is cut from."""

    images: HRImages
    patch: int
    visits: np.ndarray  # [records per epoch] int32, ascending image numbers

    @property
    def epoch_length(self) -> int:
        """Records per epoch."""
        return len(self.visits)


def make_plan(images: HRImages, patch: int) -> Plan:
    """Plans epochs over `images`.

    Image i is visited `max(1, round(H * W / patch**2))` times per epoch.

    Raises:
      InputError: if there are no images, or one has a side below `patch` HR pixels.
    """
    shapes = [images[i].shape for i in range(len(images))]
    if not shapes:
        raise InputError("no images to cut patches from")
    if patch < 1:
        raise InputError(f"patch is {patch}; give at least 1")
    for i, (h, w, _) in enumerate(shapes):
        if min(h, w) < patch:
            raise InputError(
                f"image {i} is {w}x{h}, smaller than the patch of {patch}x{patch}; "
                "leave it out or take a smaller patch"
            )
    counts = [max(1, round(h * w / patch**2)) for h, w, _ in shapes]
    return Plan(images, patch, np.repeat(np.arange(len(shapes), dtype=np.int32), counts))


def make_batch(
    plan: Plan,
    seed: int,
    step: int,
    *,
    batch: int,
    augment: bool = True,
    local: slice = slice(None),
) -> np.ndarray:
    """The HR patches of one training step.

    Args:
      plan: images and patch side, from `make_plan`.
      seed: from 0 to 2**63 - 1; another seed is another order and other crops.
      step: the number of the step, from 0.
      batch: patches per step, over all hosts.
      augment: turn each patch into one of the 8 flips and quarter turns, all equally likely.
      local: which of the step's patches to cut: this host's slice of the global batch.

    Returns:
      uint8 [n, patch, patch, 3], n being the length of `range(batch)[local]`.

    Raises:
      InputError: for a seed outside that range or an empty batch.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}; give a number from 0 to 2**63 - 1")
    if batch < 1:
        raise InputError(f"batch is {batch}; give at least 1")
    records = range(step * batch, (step + 1) * batch)[local]
    out = np.empty((len(records), plan.patch, plan.patch, 3), np.uint8)
    for j, record in enumerate(records):
        epoch, position = divmod(record, plan.epoch_length)
        visit = _permutation(seed, epoch, plan.epoch_length)[position]
        out[j] = _cut(plan.images[int(plan.visits[visit])], plan.patch, seed, record, augment)
    return out


def _cut(image: np.ndarray, patch: int, seed: int, record: int, augment: bool) -> np.ndarray:
    """A view of the record's patch: uniform over all positions, and over the dihedral group."""
    h, w, _ = image.shape
    down, right, turn = (int(word) for word in words(_CROP, seed, record, 3))
    # The high bits of word * n are uniform below n, to one part in 2^64 / n.
    top, left = down * (h - patch + 1) >> 64, right * (w - patch + 1) >> 64
    view = image[top : top + patch, left : left + patch]
    if not augment:
        return view
    if turn & 1:
        view = view[::-1]
    if turn & 2:
        view = view[:, ::-1]
    return view.transpose(1, 0, 2) if turn & 4 else view


@functools.lru_cache(maxsize=2)  # a batch may span two epochs
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    return np.argsort(words(_ORDER, seed, epoch, length), kind="stable")


def words(kind: int, seed: int, number: int, count: int) -> np.ndarray:
    """[count] uint64 keyed by the three numbers.

    Raw words, because Philox's are fixed for good while those of NumPy's `Generator` may change
    with its version, and a restart must not.
    """
    key = np.array([seed, number], np.uint64)
    return np.random.Philox(key=key, counter=np.array([0, 0, 0, kind], np.uint64)).random_raw(count)


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
