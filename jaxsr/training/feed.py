"""From the plan of a run to what each call of its train step is given, for every residency."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.tree_util import Partial

from jaxsr.data import Plan, draw_crops, make_batch
from jaxsr.data.batches import Crops
from jaxsr.data.device import Resident, cut_on_device, resident
from jaxsr.training.config import TrainConfig
from jaxsr.training.scales import hr_cut
from jaxsr.training.step import Metrics


class Feed:
    """Makes the inputs of calls, and of a train step a program that takes them.

    With the residency "device" the images are copied to every device once; an input is then where
    to cut. Otherwise it is the patches.
    """

    def __init__(self, config: TrainConfig, plan: Plan, mesh: Mesh) -> None:
        self._config, self._plan, self._mesh = config, plan, mesh
        self._images: Resident | None = None
        if config.data.residency == "device":
            everywhere = NamedSharding(mesh, PartitionSpec())
            self._images = jax.device_put(resident(plan), everywhere)

    def make(self, start: int, stop: int) -> Any:
        """The input of the call of the steps from `start` to `stop - 1`, on the devices."""
        data, seed = self._config.data, self._config.seed
        # The visits of an epoch stay the same whatever the size of a step's patches.
        plan = dataclasses.replace(self._plan, patch=hr_cut(self._config, start))
        turns: Any = {"augment": data.augment, "upright": data.upright}
        if self._images is None:
            batch = make_batch(plan, seed, start, batch=data.batch, **turns)
            return jax.device_put(batch, NamedSharding(self._mesh, PartitionSpec("data")))
        crops = draw_crops(plan, seed, range(start * data.batch, stop * data.batch), **turns)
        if stop - start == 1:
            return jax.device_put(crops, NamedSharding(self._mesh, PartitionSpec("data")))
        stacked = Crops(*(x.reshape(stop - start, data.batch) for x in crops))
        return jax.device_put(stacked, NamedSharding(self._mesh, PartitionSpec(None, "data")))

    def program(
        self, step: Partial, cut: int, count: int
    ) -> Callable[[Any, Any], tuple[Any, Metrics]]:
        """Compiles a call: (state, input) -> (state, metrics), which donates the state.

        Args:
          step: the train step, a pytree of the parameters of fixed networks.
          cut: side of the HR patches that it is given.
          count: how many steps the call makes; the metrics of several are stacked.
        """
        images, scale = self._images, self._plan.scale
        # Without the pinned result the compiler may lay the next state out otherwise.
        everywhere = NamedSharding(self._mesh, PartitionSpec())
        options: Any = {"donate_argnums": 0, "out_shardings": (everywhere, everywhere)}
        leaves, tree = jax.tree.flatten(step)
        # Each array once, whoever shares it: the compiler then also finds what is computed twice,
        # such as the features of one network in two losses.
        place = {id(leaf): i for i, leaf in enumerate(leaves)}
        fixed = jax.device_put({str(i): leaves[i] for i in place.values()}, everywhere)

        def run(
            state: Any, given: Any, fixed: dict[str, jax.Array], images: Resident | None
        ) -> tuple[Any, Metrics]:
            step = tree.unflatten([fixed[str(place[id(leaf)])] for leaf in leaves])
            if images is None:
                return step(state, given)

            def one(state: Any, crops: Crops) -> tuple[Any, Metrics]:
                return step(state, cut_on_device(images, crops, cut, scale))

            return one(state, given) if count == 1 else jax.lax.scan(one, state, given)

        # Arguments, not constants of the program: constants are copied into it.
        program = jax.jit(run, **options)
        return lambda state, given: program(state, given, fixed, images)


def steps_per_call(config: TrainConfig) -> int:
    """How many steps one call makes: the config's number, or by itself 16 on accelerators whose
    memory holds the images, where a small network would wait for the host, and 1 elsewhere."""
    if config.steps_per_call:
        return config.steps_per_call
    return 16 if config.data.residency == "device" and jax.default_backend() != "cpu" else 1


def rows(metrics: Metrics) -> list[dict[str, float]]:
    """The metrics of each step of a call, read from the device."""
    arrays = {name: np.atleast_1d(value) for name, value in jax.device_get(metrics).items()}
    count = len(next(iter(arrays.values())))
    return [{name: float(value[i]) for name, value in arrays.items()} for i in range(count)]
