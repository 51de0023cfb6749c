"""A degradation: steps that make LR of HR, for one image or a batch."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.branches import apply_all, draw_all, words_of
from jaxsr.degradations.step import Drawn, Picture, Step
from jaxsr.image.colour import to_uint8


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A pure function `(key, hr) -> lr`; see `__call__`.

    Attributes:
      steps: what it does.
      spec: the same as plain data, with every field; `get_degradation(spec, scale)` gives the
        same degradation.
      scale: of LR to HR.
    """

    steps: tuple[Step, ...]
    spec: list[dict[str, Any]]
    scale: int

    def __call__(self, key: jax.Array, hr: jax.Array | np.ndarray) -> jax.Array:
        """LR of HR. An image's LR depends on its key alone, not on the batch it is in.

        Args:
          key: for [N, H, W, C] either one key for each image, [N], or one from which image i
            gets `fold_in(key, i)`. Keys may be old-style; of other generators' keys, the first
            64 bits are taken as a threefry key.
          hr: [H, W, C] or [N, H, W, C], C = 1 or 3; uint8, or float in [0, 1]. Height and width
            are multiples of the scale.

        Returns:
          LR, `scale` times smaller; of uint8 HR uint8, rounded half up; of float HR float32, and
          only as clipped and rounded as the steps leave it.

        Raises:
          ValueError: for a size that is no multiple of the scale, another dtype, or keys that do
            not fit.
        """
        if hr.ndim not in (3, 4) or 0 in hr.shape:
            raise ValueError(f"HR must be [H, W, C] or [N, H, W, C], got shape {hr.shape}")
        if hr.shape[-3] % self.scale or hr.shape[-2] % self.scale:
            raise ValueError(
                f"HR of {hr.shape[-3]}x{hr.shape[-2]} pixels is no multiple of the scale "
                f"{self.scale}"
            )
        hr = jnp.asarray(hr)
        if jnp.issubdtype(hr.dtype, jnp.floating):
            hr = hr.astype(jnp.float32)
        elif hr.dtype != jnp.uint8:
            raise ValueError(f"HR must be uint8, or float in [0, 1], got {hr.dtype}")
        key = _threefry(key)
        if hr.ndim == 3:
            return _one(self, key, hr)
        if key.ndim == 0:
            key = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(len(hr)))
        if key.shape != hr.shape[:1]:
            raise ValueError(f"{len(hr)} images need one key or as many, got {key.shape}")
        return _batch(self, key, hr)

    def describe(self, key: jax.Array) -> list[str]:
        """What is drawn for the image of that key, a line for every step that does something."""
        drawn = jax.device_get(jax.jit(_drawn, static_argnums=0)(self, _threefry(key)))
        lines = zip(self.steps, drawn, strict=True)
        return [line for step, values in lines for line in step.describe(values)]


def _threefry(key: jax.Array) -> jax.Array:
    """The key for the one generator that draws the same numbers for an image in every batch."""
    return jax.random.wrap_key_data(jax.random.key_data(key)[..., :2], impl="threefry2x32")


def _drawn(pipeline: Pipeline, key: jax.Array) -> list[Drawn]:
    return draw_all(pipeline.steps, jax.random.bits(key, (words_of(pipeline.steps),), jnp.uint32))


def _degraded(pipeline: Pipeline, key: jax.Array, hr: jax.Array) -> jax.Array:
    lr = hr.shape[0] // pipeline.scale, hr.shape[1] // pipeline.scale
    x = apply_all(pipeline.steps, _drawn(pipeline, key), Picture(hr), lr).x
    return to_uint8(x) if hr.dtype == jnp.uint8 else x


@functools.partial(jax.jit, static_argnums=0)
def _one(pipeline: Pipeline, key: jax.Array, hr: jax.Array) -> jax.Array:
    return _degraded(pipeline, key, hr)


@functools.partial(jax.jit, static_argnums=0)
def _batch(pipeline: Pipeline, keys: jax.Array, hr: jax.Array) -> jax.Array:
    degrade = functools.partial(_degraded, pipeline)
    if jax.default_backend() == "cpu":
        # One after the other: vmap turns a choice into all of its branches.
        return jax.lax.map(lambda both: degrade(*both), (keys, hr))
    return jax.vmap(degrade)(keys, hr)
