"""Steps made of steps: a sequence, one of several sequences, a random order."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.step import Drawn, Picture, Shape, Step, pick, total_problems, unit
from jaxsr.image.canvas import size_of
from jaxsr.image.colour import to_float


def words_of(steps: Sequence[Step]) -> int:
    """How many random words a sequence takes."""
    return sum(step.words() for step in steps)


def draw_all(steps: Sequence[Step], words: jax.Array) -> list[Drawn]:
    """What each step draws from its share of the random words, [words_of(steps)]."""
    ends = np.cumsum([step.words() for step in steps], dtype=int)
    return [s.draw(words[end - s.words() : end]) for s, end in zip(steps, ends, strict=True)]


def apply_all(steps: Sequence[Step], drawn: list[Drawn], picture: Picture, lr: Shape) -> Picture:
    """The steps, one after the other."""
    for step, values in zip(steps, drawn, strict=True):
        picture = step.apply(values, picture, lr)
    return picture


def canvases(steps: Sequence[Step], shape: Shape, lr: Shape) -> list[Shape]:
    """The arrays that hold the largest picture before the first step and after each."""
    found = [shape]
    for step in steps:
        found.append(step.canvas(found[-1], lr))
    return found


def lands_all(steps: Sequence[Step]) -> bool | None:
    """Whether a sequence ends at the shape of LR; None if it does not resize."""
    found = [at for step in steps if (at := step.lands()) is not None]
    return found[-1] if found else None


@dataclass(frozen=True)
class Option:
    """One of the sequences of a `Choice`, and its weight."""

    steps: tuple[Step, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class Choice(Step):
    """One of several sequences of steps, drawn for every image by their weights."""

    options: tuple[Option, ...] = ()

    def words(self) -> int:
        return 1 + max(words_of(option.steps) for option in self.options)

    def draw(self, words: jax.Array) -> Drawn:
        # Only one option is used, so that all may have the same words.
        return {
            "option": pick(unit(words[0]), tuple(option.weight for option in self.options)),
            "steps": [
                draw_all(option.steps, words[1 : 1 + words_of(option.steps)])
                for option in self.options
            ],
        }

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        shape = self.canvas(_shape(picture), lr)

        def branch(option: Option, values: list[Drawn], start: Picture) -> Picture:
            return _fitted(apply_all(option.steps, values, start, lr), shape)

        branches = [
            functools.partial(branch, option, values)
            for option, values in zip(self.options, drawn["steps"], strict=True)
        ]
        start = Picture(to_float(picture.x), picture.size)  # so that all give the same dtype
        done = jax.lax.switch(drawn["option"], branches, start)
        unresized = self.lands() is None and picture.size is None
        return Picture(done.x) if self.lands() or unresized else done

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        return _largest([canvases(option.steps, shape, lr)[-1] for option in self.options])

    def lands(self) -> bool | None:
        found = {lands_all(option.steps) for option in self.options}
        return found.pop() if len(found) == 1 else False

    def problems(self) -> list[str]:
        if not self.options:
            return ["options must not be empty"]
        return total_problems([option.weight for option in self.options], "the options' weights")

    def describe(self, drawn: Drawn) -> list[str]:
        i = int(drawn["option"])
        steps = zip(self.options[i].steps, drawn["steps"][i], strict=True)
        return [line for step, values in steps for line in step.describe(values)]


@dataclass(frozen=True)
class Shuffle(Step):
    """All of its steps, in a random order; those that resize keep theirs among each other."""

    steps: tuple[Step, ...] = ()

    def words(self) -> int:
        return len(self.steps) + words_of(self.steps)

    def draw(self, words: jax.Array) -> Drawn:
        place = unit(words[: len(self.steps)])
        resizing = jnp.asarray([i for i, s in enumerate(self.steps) if s.lands() is not None], int)
        place = place.at[resizing].set(jnp.sort(place[resizing]))
        return {
            "order": jnp.argsort(place).astype(jnp.int32),
            "steps": draw_all(self.steps, words[len(self.steps) :]),
        }

    def apply(self, drawn: Drawn, picture: Picture, lr: Shape) -> Picture:
        sizes = canvases(self.steps, _shape(picture), lr)
        shape = _largest(sizes)

        def branch(step: Step, values: Drawn, start: Picture) -> Picture:
            return _fitted(step.apply(values, start, lr), shape)

        branches = [
            functools.partial(branch, step, values)
            for step, values in zip(self.steps, drawn["steps"], strict=True)
        ]
        # A loop holds every step once; in a row there would be a copy at each of the places.
        done = jax.lax.fori_loop(
            0,
            len(self.steps),
            lambda i, now: jax.lax.switch(drawn["order"][i], branches, now),
            _fitted(Picture(to_float(picture.x), picture.size), shape),
        )
        done = _fitted(done, sizes[-1])
        unresized = self.lands() is None and picture.size is None
        return Picture(done.x) if self.lands() or unresized else done

    def canvas(self, shape: Shape, lr: Shape) -> Shape:
        return canvases(self.steps, shape, lr)[-1]

    def lands(self) -> bool | None:
        return lands_all(self.steps)

    def problems(self) -> list[str]:
        return [] if self.steps else ["steps must not be empty"]

    def describe(self, drawn: Drawn) -> list[str]:
        order = [int(i) for i in drawn["order"]]
        return [line for i in order for line in self.steps[i].describe(drawn["steps"][i])]


def _shape(picture: Picture) -> Shape:
    return picture.x.shape[0], picture.x.shape[1]


def _largest(shapes: Sequence[Shape]) -> Shape:
    return max(h for h, _ in shapes), max(w for _, w in shapes)


def _fitted(picture: Picture, shape: Shape) -> Picture:
    """The picture in an array of another shape, its size in numbers."""
    h, w = size_of(picture.x, picture.size)
    x = picture.x[: shape[0], : shape[1]]
    x = jnp.pad(x, ((0, shape[0] - x.shape[0]), (0, shape[1] - x.shape[1]), (0, 0)))
    return Picture(x, (jnp.asarray(h, jnp.int32), jnp.asarray(w, jnp.int32)))
