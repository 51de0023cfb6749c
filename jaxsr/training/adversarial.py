"""The adversarial train step: generator and discriminators in one pure function.

    S = G(LR)                                          once, for all that follows
    discriminators   min_D  loss_weight * L_D(D(HR), D(S)) + r1_every * gamma * R1(D, HR)
    generator        min_G  content(S, target) + sum over D of weight * L_G(D(HR), D(S))

Each player's gradient is taken by its own parameters alone. HR and S go through a discriminator as
two batches, so that a batch norm sees the statistics of each by itself. With the order "together"
both gradients are taken at the same D, and one forward pass of it serves both.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from jaxsr.data.batches import Batch
from jaxsr.losses import Loss, WeightedSum, as_weighted_sum, get_gan_loss
from jaxsr.training.adversarial_state import AdversarialState, Judge
from jaxsr.training.config import AdversarialConfig, GuardConfig
from jaxsr.training.guard import accept, choose
from jaxsr.training.judging import for_generator, judge, judgement, learn, performance
from jaxsr.training.pairing import Pairing
from jaxsr.training.step import Metrics, apply_training, draw_keys, kept, updated
from jaxsr.training.turns import Turn

_BOTH = Turn()


def make_adversarial_step(
    model: Any,
    pairing: Pairing,
    optimizer: optax.GradientTransformationExtraArgs,
    loss: Loss,
    ema_decay: float,
    judges: Mapping[str, Judge],
    judge_optimizer: optax.GradientTransformationExtraArgs,
    config: AdversarialConfig,
    *,
    turn: Turn = _BOTH,
    guard: GuardConfig | None = None,
    natural: Pairing | None = None,
) -> Partial:
    """Builds `(AdversarialState, Batch) -> (AdversarialState, metrics)` for one kind of turn.

    Pure and independent of devices, as the supervised step; it is, like that one, a pytree of the
    parameters of fixed networks. Metrics, all scalars:

    * `psnr`, and `skipped`: 1 for a step that is not finite, or an outlier: all but the step's
      number then stays as it is, of either player;
    * when the generator learns `loss`, its objective, `grad_norm`, and as `loss/TERM` the content's
      terms, if they have names, and `gan_NAME` of each discriminator, before their weights;
    * of each discriminator, as `NAME/...`: `real` and `fake`, its mean logits, `accuracy_real` and
      `accuracy_fake`; when it learns also `loss`, `grad_norm`, `r1` in a turn with that penalty,
      and `learns` where `config.lag` may keep it from learning.

    Args:
      model: the generator.
      optimizer, judge_optimizer: of `jaxsr.training.optimizer.make_optimizer`; the second is that
        of each discriminator.
      loss: the content loss, of SR and what `pairing` gives as HR.
      judges: the discriminators by their names in the state.
      turn: who learns.
      guard: which steps are skipped, by the generator's objective; None stands for the default.
      natural: gives the HR that is shown as real, if not that of `pairing`, which may be sharpened.
    """
    gan, guarded = get_gan_loss(config.loss), guard or GuardConfig()
    if not turn.generator:  # then there is no objective to watch
        guarded = dataclasses.replace(guarded, spike=0.0)
    modules = {name: judge.module for name, judge in judges.items()}
    weights = {name: judge.weight for name, judge in judges.items()}

    def step(
        content: WeightedSum, views: Mapping[str, Partial], state: AdversarialState, batch: Batch
    ) -> tuple[AdversarialState, Metrics]:
        old = state.generator
        keys, step_key = draw_keys(old, batch)
        lr, target = pairing(keys, batch)
        hr = target if natural is None else natural(keys, batch)[1]

        def generate(params: Any) -> tuple[jax.Array, Any]:
            variables = {"params": params, "batch_stats": old.batch_stats}
            if config.freeze_batch_norm:
                return model.apply(variables, lr), old.batch_stats
            sr, _, stats = apply_training(model, variables, lr, step_key, supervised=False)
            return sr, stats

        sr, pull, stats = jax.vjp(generate, old.params, has_aux=True)
        metrics = {"psnr": -10.0 * jnp.log10(jnp.mean(jnp.square(sr - target)))}
        objective, by_sr = jnp.zeros(()), jnp.zeros_like(sr)  # the generator's, and its slope
        opponents, performances, finite = {}, {}, []
        for name, module in modules.items():
            before = opponent = state.discriminators[name]
            real = views[name](hr)
            fake, pull_view = jax.vjp(views[name], sr)
            judged = judge(module, before, real, fake)
            about = judgement(judged, gan)
            if config.lag:
                performances[name] = performance(judged, gan)
            if turn.discriminator:
                penalised = real if turn.penalty else None
                opponent, learned = learn(
                    *(module, before, judged, gan, config, judge_optimizer, old.step, penalised)
                )
                finite += [learned["loss"], learned["grad_norm"]]
                about |= learned
                if config.lag:
                    lags = jnp.any(state.performance[name] < config.lag)
                    opponent = choose(lags, opponent, before)
                    about["learns"] = lags.astype(jnp.float32)
                if config.order == "discriminator":
                    judged = judge(module, opponent, real, fake)
            if turn.generator:
                term, slope = for_generator(judged, gan)
                objective += weights[name] * term
                by_sr += weights[name] * pull_view(slope)[0]
                metrics[f"loss/gan_{name}"] = term
            metrics |= {f"{name}/{key}": value for key, value in about.items()}
            opponents[name] = opponent
        new = dataclasses.replace(old, step=old.step + 1)
        if turn.generator:

            def weighted(sr: jax.Array) -> tuple[jax.Array, jax.Array]:
                terms = content.each(sr, target)
                return content.total(terms), terms

            (value, terms), slope = jax.value_and_grad(weighted, has_aux=True)(sr)
            objective += value
            (grads,) = pull(by_sr + slope)
            metrics |= {"loss": objective, "grad_norm": optax.tree.norm(grads)}
            metrics |= content.named(terms)
            finite.append(metrics["grad_norm"])
            new = updated(old, grads, stats, optimizer.update, (model.scale,), ema_decay)
        accepted, memory = accept(guarded, old.guard, objective, *finite)
        new = AdversarialState(
            generator=dataclasses.replace(kept(accepted, new, old), guard=memory),
            discriminators=choose(accepted, opponents, state.discriminators),
            performance=choose(accepted, performances, state.performance),
        )
        return new, metrics | {"skipped": 1.0 - accepted}

    return Partial(step, as_weighted_sum(loss), {name: j.view for name, j in judges.items()})
