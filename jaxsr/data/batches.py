"""Training batches as a pure function of (seed, step).

Record r of a training run is the r-th patch cut since its start: step `k` holds records
`k * batch` to `(k + 1) * batch - 1`. Which image it comes from, where it is cut and how it is
turned depend on the seed and r alone, so the same patches come out on any number of hosts and
threads and after any restart, and the data position of a checkpoint is its step number.

An epoch visits an image once per patch-sized tile that it has room for: every pixel of the set is
then about equally likely, as with the papers' fixed-stride tiles, whatever the image sizes.
"""

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

import numpy as np

from jaxsr.errors import InputError

if TYPE_CHECKING:
    import jax

    Array: TypeAlias = np.ndarray | jax.Array

# The word of Philox's key that keeps the kinds of draws apart.
_ORDER, _CROP, SCALE = 0, 1, 2
_TRIES = 10  # crops that are tried until one has `min_detail`
_LONGEST = 10**8  # records of an epoch: their order takes 2 GB and a minute
_ORDERING = threading.Lock()  # else each thread that makes batches would find the order itself


class Pixels(Protocol):
    """Decoded images: a `Cache`, or a list of uint8 [H, W, 3] arrays."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray: ...


class Batch(NamedTuple):
    """The patches of one training step, a pytree.

    Attributes:
      record: uint32 [N], the numbers of the patches in the run (modulo 2^32), from which random
        degradations get their keys.
      hr: uint8 [N, P, P, 3].
      lr: uint8 [N, P / scale, P / scale, 3] where files give it; None where it is made from HR.
    """

    record: "Array"
    hr: "Array"
    lr: "Array | None" = None


class Crops(NamedTuple):
    """Which patches: all int32 [N] but `record`, positions in HR pixels.

    `turn` is 0 to 7: bit 0 flips the rows, bit 1 the columns, then bit 2 swaps the two axes.
    """

    record: "Array"
    image: "Array"
    top: "Array"
    left: "Array"
    turn: "Array"


@dataclass(frozen=True)
class Plan:
    """What patches are cut from, and how.

    Attributes:
      hr: HR images.
      patch: side of an HR patch, pixels.
      visits: [records per epoch] int32, the image that each of an epoch's records is cut from:
        a number in `hr`, or, where there is `lr`, in `lr`.
      lr: LR images of files, or None.
      hr_of: for each LR image the number of its HR image.
      scale: HR size over LR size; 1 without `lr`. HR crops lie on multiples of it.
      min_detail: patches with less `detail` are drawn again (at most 10 times).
    """

    hr: Pixels
    patch: int
    visits: np.ndarray
    lr: Pixels | None = None
    hr_of: Sequence[int] = ()
    scale: int = 1
    min_detail: float = 0.0

    @property
    def epoch_length(self) -> int:
        """Records per epoch."""
        return len(self.visits)

    def hr_image(self, image: int) -> np.ndarray:
        """The HR image of a number in `visits`."""
        return self.hr[image if self.lr is None else self.hr_of[image]]


def make_plan(
    hr: Pixels,
    patch: int,
    *,
    lr: Pixels | None = None,
    hr_of: Sequence[int] = (),
    scale: int = 1,
    groups: Sequence[int] = (),
    weights: Sequence[float] = (),
    min_detail: float = 0.0,
) -> Plan:
    """Plans epochs over images.

    Image i is visited `max(1, round(H * W / patch**2))` times per epoch. With `weights`, the group
    g of images gets `weights[g] / sum(weights)` of the visits instead: the epoch is made as long
    as it must be for every image to keep at least its visits, and a group that needs more goes
    through its own several times.

    Args:
      hr, patch, lr, hr_of, scale, min_detail: see `Plan`; `lr` images are `scale` times smaller.
      groups: the group of each image (of `lr` if there is one), from 0.
      weights: positive, one for each group.

    Raises:
      InputError: if there are no images, one has a side below `patch` HR pixels, a pair does not
        match, or a weight is not positive or so small that an epoch gets too long.
    """
    if not len(hr):
        raise InputError("no images to cut patches from")
    if patch < 1:
        raise InputError(f"patch is {patch}; give at least 1")
    plan = Plan(hr, patch, np.zeros(0, np.int32), lr, tuple(hr_of), scale, min_detail)
    shapes = [plan.hr_image(i).shape[:2] for i in range(len(hr if lr is None else lr))]
    for i, (h, w) in enumerate(shapes):
        if min(h, w) < patch:
            raise InputError(
                f"image {i} is {w}x{h}, smaller than the patch of {patch}x{patch}; "
                "leave it out or take a smaller patch"
            )
        if lr is not None and tuple(lr[i].shape[:2]) != (h // scale, w // scale):
            lr_h, lr_w = lr[i].shape[:2]
            raise InputError(f"LR image {i} is {lr_w}x{lr_h}, its HR image {w}x{h} is not x{scale}")
    counts = [max(1, round(h * w / patch**2)) for h, w in shapes]
    visits = np.repeat(np.arange(len(shapes), dtype=np.int32), counts)
    if len(weights):
        visits = _weighted(visits, np.asarray(groups)[visits], weights)
    return Plan(hr, patch, visits, lr, tuple(hr_of), scale, min_detail)


def _weighted(visits: np.ndarray, group: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """The visits, those of each group repeated until it has its share."""
    share = np.asarray(weights, np.float64)
    if not (np.isfinite(share).all() and (share > 0).all()):
        raise InputError(f"weights are {tuple(weights)}; give positive numbers")
    share = share / share.max()  # or their sum may overflow
    share /= share.sum()
    count = np.bincount(group, minlength=len(share))
    if len(count) != len(share) or not count.all():
        raise InputError(
            f"{len(share)} weights for {len(count)} groups of images, of which "
            f"{np.count_nonzero(count)} have any; give one weight for each that has"
        )
    with np.errstate(divide="ignore"):  # a share may underflow
        length = (count / share).max()
    if length > _LONGEST:
        raise InputError(
            f"weights are {tuple(weights)}: an epoch in which every image has its part would be "
            f"of {length:.2g} patches; give weights that are less far apart"
        )
    wanted = np.maximum(count, np.rint(length * share).astype(np.int64))
    parts = []
    for g, n in enumerate(wanted):
        own = visits[group == g]
        parts.append(own[np.arange(n) * len(own) // n])  # evenly, so that no image is favoured
    return np.concatenate(parts)


def make_batch(
    plan: Plan,
    seed: int,
    step: int,
    *,
    batch: int,
    augment: bool = True,
    upright: bool = False,
    local: slice = slice(None),
) -> Batch:
    """The patches of one training step: `cut(plan, draw_crops(...))`.

    Args:
      plan: from `make_plan`.
      seed: from 0 to 2**63 - 1; another seed is another order and other crops.
      step: the number of the step, from 0.
      batch: patches per step, over all hosts.
      augment: turn each patch into one of the 8 flips and quarter turns, all equally likely.
      upright: only flip it from left to right, or not.
      local: which of the step's patches to cut: this host's slice of the global batch.

    Raises:
      InputError: for a seed outside that range or an empty batch.
    """
    if batch < 1:
        raise InputError(f"batch is {batch}; give at least 1")
    records = range(step * batch, (step + 1) * batch)[local]
    return cut(plan, draw_crops(plan, seed, records, augment=augment, upright=upright))


def draw_crops(
    plan: Plan, seed: int, records: range, *, augment: bool = True, upright: bool = False
) -> Crops:
    """Where the patches of consecutive records lie; arguments as for `make_batch`."""
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}; give a number from 0 to 2**63 - 1")
    image = np.empty(len(records), np.int32)
    for j, record in enumerate(records):
        epoch, position = divmod(record, plan.epoch_length)
        with _ORDERING:
            order = _permutation(seed, epoch, plan.epoch_length)
        image[j] = plan.visits[order[position]]
    sizes = np.array([plan.hr_image(i).shape[:2] for i in image.tolist()]).reshape(-1, 2)
    crops = _place(plan, seed, records, image, sizes, 0)
    if plan.min_detail > 0:
        for j, record in enumerate(records):
            one, here = slice(j, j + 1), range(record, record + 1)
            for attempt in range(1, _TRIES):
                if detail(_window(plan, crops, j)) >= plan.min_detail:
                    break
                again = _place(plan, seed, here, image[one], sizes[one], attempt)
                crops.top[j], crops.left[j] = again.top[0], again.left[0]
    kinds = (8 if not upright else 2) if augment else 1
    turn = below(words(_CROP, seed, 0, records.start, len(records))[:, 2], kinds)
    return crops._replace(turn=turn * 2 if upright else turn)


def _place(
    plan: Plan, seed: int, records: range, image: np.ndarray, sizes: np.ndarray, attempt: int
) -> Crops:
    """Crops of these images, uniform over all positions on the LR grid, not turned."""
    word = words(_CROP, seed, attempt, records.start, len(records))
    free = (sizes - plan.patch) // plan.scale + 1
    return Crops(
        record=(np.arange(len(records), dtype=np.int64) + records.start).astype(np.uint32),
        image=image,
        top=below(word[:, 0], free[:, 0]) * plan.scale,
        left=below(word[:, 1], free[:, 1]) * plan.scale,
        turn=np.zeros(len(records), np.int32),
    )


def _window(plan: Plan, crops: Crops, j: int) -> np.ndarray:
    top, left = crops.top[j], crops.left[j]
    image = plan.hr_image(int(crops.image[j]))
    return image[top : top + plan.patch, left : left + plan.patch]


def cut(plan: Plan, crops: Crops) -> Batch:
    """Cuts the patches out of the plan's images, on the host."""
    n, side = len(crops.record), plan.patch // plan.scale
    hr = np.empty((n, plan.patch, plan.patch, 3), np.uint8)
    lr = None if plan.lr is None else np.empty((n, side, side, 3), np.uint8)
    for j, turn in enumerate(crops.turn.tolist()):
        _turn_into(hr[j], _window(plan, crops, j), turn)
        if plan.lr is not None and lr is not None:
            top, left = crops.top[j] // plan.scale, crops.left[j] // plan.scale
            view = plan.lr[int(crops.image[j])][top : top + side, left : left + side]
            _turn_into(lr[j], view, turn)
    return Batch(crops.record, hr, lr)


def _turn_into(out: np.ndarray, view: np.ndarray, turn: int) -> None:
    """Copies uint8 [P, P, 3], turned; pixel by pixel, which takes 0.6 of the time of bytes."""
    pixel = np.dtype((np.void, 3))
    source = np.ascontiguousarray(view).view(pixel)[..., 0]
    if turn & 1:
        source = source[::-1]
    if turn & 2:
        source = source[:, ::-1]
    out.view(pixel)[..., 0] = source.T if turn & 4 else source


def detail(patch: np.ndarray) -> float:
    """How far uint8 [H, W, C] is from flat: the larger of the mean standard deviations of its
    columns and of its rows, in [0, 0.5] of full scale; sky has 0.01, foliage 0.2."""
    return max(float(patch.std(axis=axis).mean()) for axis in (0, 1)) / 255


@functools.lru_cache(maxsize=2)  # a batch may span two epochs
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    order = words(_ORDER, seed, epoch, 0, -(-length // 4)).ravel()[:length]
    return np.argsort(order, kind="stable")


def words(kind: int, seed: int, number: int, first: int, count: int) -> np.ndarray:
    """[count, 4] uint64 random words, rows `first` to `first + count - 1` of an endless table.

    The table is that of the seed, the kind of draw and a number below 2**56.

    Raw words, because Philox's are fixed for good while those of NumPy's `Generator` may change
    with its version, and a restart must not.
    """
    key = np.array([seed, kind | number << 8], np.uint64)
    counter = np.array([first, 0, 0, 0], np.uint64)
    return np.random.Philox(key=key, counter=counter).random_raw(4 * count).reshape(count, 4)


def below(word: np.ndarray, n: int | np.ndarray) -> np.ndarray:
    """int32 uniform below n < 2**31, to one part in 2^32 / n, from uint64 words."""
    high = word >> np.uint64(32)
    return (high * np.asarray(n, np.uint64) >> np.uint64(32)).astype(np.int32)
