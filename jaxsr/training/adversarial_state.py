"""Everything that an adversarial run needs to go on: both players, as one pytree."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from jaxsr.losses.perceptual import features
from jaxsr.models.discriminators import create_discriminator
from jaxsr.training.config import AdversarialConfig
from jaxsr.training.state import TrainState, initialised


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Opponent:
    """What there is of one discriminator."""

    params: Any
    batch_stats: Any  # running statistics of batch norms, vectors of spectral norms, or {}
    opt_state: Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdversarialState:
    """The state of an adversarial run. The generator's has the step and the random key of both."""

    generator: TrainState
    discriminators: dict[str, Opponent]
    # Of each, where `lag` is set: the mean probability that it gave to the truth in the step
    # before, [2]: for HR and for SR. Else {}.
    performance: dict[str, jax.Array]


class Judge(NamedTuple):
    """A discriminator as a config describes it.

    Attributes:
      module: inputs -> logits.
      view: what it sees of images [N, H, W, 3] in [0, 1]: a pytree of the parameters of the fixed
        network whose features these are, if they are features.
      weight: of its term in the generator's objective.
    """

    module: Any
    view: Partial
    weight: float


def make_judges(config: AdversarialConfig) -> dict[str, Judge]:
    """The discriminators of a config by their names in it; none for a supervised run.

    Raises:
      InputError: for an unknown discriminator, argument, network or layer, or weights of a fixed
        network that are not on this machine.
    """
    return {
        name: Judge(
            create_discriminator(d.model, **d.model_args),
            Partial(_as_it_is) if d.on == "image" else features(d.on),
            d.weight,
        )
        for name, d in config.discriminators.items()
    }


def create_adversarial_state(
    generator: TrainState,
    judges: Mapping[str, Judge],
    optimizer: optax.GradientTransformation,
    patch: int,
    key: jax.Array,
    *,
    lag: bool,
) -> AdversarialState:
    """Fresh discriminators against a generator.

    Args:
      optimizer: of each discriminator.
      patch: the side of the HR patches, which fixes the size of dense layers.
      lag: whether their performance decides on who learns.
    """
    opponents = {}
    for i, (name, judge) in enumerate(judges.items()):
        seen = jax.eval_shape(judge.view, jax.ShapeDtypeStruct((1, patch, patch, 3), jnp.float32))
        probe = jnp.zeros(seen.shape, seen.dtype)
        variables = initialised(judge.module, jax.random.fold_in(key, i), probe)
        params = variables["params"]
        stats = variables.get("batch_stats", {})
        opponents[name] = Opponent(params, stats, optimizer.init(params))
    performance = {name: jnp.zeros(2) for name in judges} if lag else {}
    return AdversarialState(generator, opponents, performance)


def generator_of(state: TrainState | AdversarialState) -> TrainState:
    """The state of the network that makes SR."""
    return state.generator if isinstance(state, AdversarialState) else state


def with_generator(state: Any, generator: TrainState) -> Any:
    """The same state with another generator."""
    if isinstance(state, AdversarialState):
        return dataclasses.replace(state, generator=generator)
    return generator


def _as_it_is(x: jax.Array) -> jax.Array:
    return x
