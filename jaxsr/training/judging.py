"""A discriminator's part of the adversarial step: its logits, and what it learns from them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsr.losses import GanLoss, r1_penalty
from jaxsr.training.adversarial_state import Opponent
from jaxsr.training.config import AdversarialConfig

Metrics = dict[str, jax.Array]


class Judged(NamedTuple):
    """One pass of a discriminator in training mode.

    Attributes:
      real, fake: logits.
      stats: its statistics after both.
      pull: (cotangent of real, of fake) -> (gradient of the parameters, of what was fake).
    """

    real: jax.Array
    fake: jax.Array
    stats: Any
    pull: Callable[[tuple[jax.Array, jax.Array]], tuple[Any, jax.Array]]


def judge(module: Any, opponent: Opponent, real: jax.Array, fake: jax.Array) -> Judged:
    """HR and SR, or features of them, through a discriminator: two batches, one after the other."""

    def logits(params: Any, fake: jax.Array) -> tuple[tuple[jax.Array, jax.Array], Any]:
        stats, both = opponent.batch_stats, []
        for x in (real, fake):
            variables = {"params": params, "batch_stats": stats}
            y, changed = module.apply(variables, x, train=True, mutable=["batch_stats"])
            stats = changed.get("batch_stats", stats)
            both.append(y)
        return (both[0], both[1]), stats

    (r, f), pull, stats = jax.vjp(logits, opponent.params, fake, has_aux=True)
    return Judged(r, f, stats, pull)


def for_generator(judged: Judged, gan: GanLoss) -> tuple[jax.Array, jax.Array]:
    """The generator's loss and its gradient by what was fake; what is real is not the generator's
    to change."""
    value, by_fake = jax.value_and_grad(gan.generator, argnums=1)(judged.real, judged.fake)
    return value, judged.pull((jnp.zeros_like(judged.real), by_fake))[1]


def learn(
    module: Any,
    opponent: Opponent,
    judged: Judged,
    gan: GanLoss,
    config: AdversarialConfig,
    optimizer: optax.GradientTransformationExtraArgs,
    step: jax.Array,
    penalised: jax.Array | None,
) -> tuple[Opponent, Metrics]:
    """One update of a discriminator: the new one and `loss`, `grad_norm` and perhaps `r1`.

    Args:
      judged: of this very discriminator.
      penalised: the real inputs, in a step with the R1 penalty.
    """
    value, slopes = jax.value_and_grad(gan.discriminator, argnums=(0, 1))(judged.real, judged.fake)
    weighted = jax.tree.map(lambda slope: config.loss_weight * slope, slopes)
    grads = judged.pull(weighted)[0]
    metrics = {"loss": value}
    if penalised is not None:

        def r1(params: Any) -> jax.Array:
            # As in inference: its statistics are not what the penalty is about.
            variables = {"params": params, "batch_stats": opponent.batch_stats}
            return r1_penalty(lambda x: module.apply(variables, x), penalised)

        metrics["r1"], more = jax.value_and_grad(r1)(opponent.params)
        grads = jax.tree.map(lambda g, m: g + config.r1 * config.r1_every * m, grads, more)
    metrics["grad_norm"] = optax.tree.norm(grads)
    updates, opt_state = optimizer.update(
        grads, opponent.opt_state, opponent.params, step=step, scales=()
    )
    params = optax.apply_updates(opponent.params, updates)
    return Opponent(params, judged.stats, opt_state), metrics


def judgement(judged: Judged, gan: GanLoss) -> Metrics:
    """How well it tells them apart: mean logits, and the shares that are on the right side."""
    real, fake = gan.scores(judged.real, judged.fake)
    return {
        "real": jnp.mean(judged.real),
        "fake": jnp.mean(judged.fake),
        "accuracy_real": jnp.mean(real > 0),
        "accuracy_fake": jnp.mean(fake < 0),
    }


def performance(judged: Judged, gan: GanLoss) -> jax.Array:
    """The mean probability that it gives to the truth: [2], for real and for fake."""
    real, fake = gan.scores(judged.real, judged.fake)
    return jnp.stack([jnp.mean(jax.nn.sigmoid(real)), jnp.mean(jax.nn.sigmoid(-fake))])
