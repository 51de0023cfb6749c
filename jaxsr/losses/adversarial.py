"""Adversarial losses: what discriminator and generator minimise, as functions of logits.

`GAN_LOSSES[name].discriminator(real_logits, fake_logits)` and `.generator(real_logits,
fake_logits)` each give a float32 scalar, unweighted. Logits are what a discriminator gives before
any sigmoid: [N, 1], or a map [N, H, W, 1] of a patch or U-Net discriminator, of any float type.
Means are over the batch and the map alike: over the global batch where `jax.jit` splits it over
devices, over a device's own part inside `jax.pmap` and `jax.shard_map`. Labels are 1 and 0,
without smoothing.

Which images or features the logits belong to is not seen here. SRFeat's feature-space loss (Park
et al. 2018) is "vanilla" once more, on the logits of a second discriminator whose inputs are the
features of a fixed network.

In the formulas r and f are the logits of real and fake, sp(x) = log(1 + exp(x)).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.errors import InputError, nearest

LogitLoss = Callable[[jax.Array, jax.Array], jax.Array]
Scores = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
Critic = Callable[[jax.Array], jax.Array]

_EPS = 1e-12  # under the root of a norm, whose slope at 0 would be infinite


class GanLoss(NamedTuple):
    """What each of the two networks minimises: `(real_logits, fake_logits) -> scalar`.

    `scores(real_logits, fake_logits)` are the logits of both as this loss compares them: above 0
    for what the discriminator takes for real.
    """

    generator: LogitLoss
    discriminator: LogitLoss
    scores: Scores


def vanilla_discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean sp(-r) + mean sp(f), the cross-entropy: Goodfellow et al. 2014,
    https://arxiv.org/abs/1406.2661.
    """
    return _mean_softplus(-real_logits) + _mean_softplus(fake_logits)


def vanilla_generator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean sp(-f), the paper's non-saturating form; SRGAN's -log D(G(LR)). r is not used."""
    del real_logits
    return _mean_softplus(-fake_logits)


def least_squares_discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean (r - 1)^2 + mean f^2: Mao et al. 2017, https://arxiv.org/abs/1611.04076.

    Deviation: without the paper's factor 1/2, as in the code of the field.
    """
    real, fake = _float32(real_logits, fake_logits)
    return jnp.mean(jnp.square(real - 1)) + jnp.mean(jnp.square(fake))


def least_squares_generator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean (f - 1)^2, without the paper's factor 1/2. r is not used."""
    _, fake = _float32(real_logits, fake_logits)
    return jnp.mean(jnp.square(fake - 1))


def hinge_discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean max(0, 1 - r) + mean max(0, 1 + f): Lim and Ye 2017,
    https://arxiv.org/abs/1705.02894. Its generator is Wasserstein's.
    """
    real, fake = _float32(real_logits, fake_logits)
    # jax.nn.relu has slope 0 at the margin; jnp.maximum would have 1/2.
    return jnp.mean(jax.nn.relu(1 - real)) + jnp.mean(jax.nn.relu(1 + fake))


def wasserstein_discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """mean f - mean r: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875.

    It has no lower bound unless the critic is kept smooth: add `gradient_penalty`.
    """
    real, fake = _float32(real_logits, fake_logits)
    return jnp.mean(fake) - jnp.mean(real)


def wasserstein_generator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """-mean f. r is not used."""
    _, fake = _float32(real_logits, fake_logits)
    return -jnp.mean(fake)


def relativistic_discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """(mean sp(-(r - mean f)) + mean sp(f - mean r)) / 2, the relativistic average GAN:
    Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734; ESRGAN's loss (Wang et al. 2018,
    https://arxiv.org/abs/1809.00219).

    The factor 1/2 is that of their code; the papers have the plain sum. The gradient goes through
    both means, as in the papers' formula; later code of ESRGAN's authors holds the means constant
    here, which changes the gradient and not the value.
    """
    real_over_fake, fake_over_real = _relative(real_logits, fake_logits)
    return (_mean_softplus(-real_over_fake) + _mean_softplus(fake_over_real)) / 2


def _float32(real: jax.Array, fake: jax.Array) -> tuple[jax.Array, jax.Array]:
    return real.astype(jnp.float32), fake.astype(jnp.float32)


def _over_half(real: jax.Array, fake: jax.Array) -> tuple[jax.Array, jax.Array]:
    real, fake = _float32(real, fake)
    return real - 0.5, fake - 0.5


def _relative(real: jax.Array, fake: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Each over the mean of the other, as a critic without a zero of its own compares."""
    real, fake = _float32(real, fake)
    return real - jnp.mean(fake), fake - jnp.mean(real)


def relativistic_generator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """(mean sp(r - mean f) + mean sp(-(f - mean r))) / 2: the discriminator's, the two swapped.

    Both halves teach the generator; the first one does so through mean f.
    """
    return relativistic_discriminator(fake_logits, real_logits)


GAN_LOSSES: dict[str, GanLoss] = {
    "vanilla": GanLoss(vanilla_generator, vanilla_discriminator, _float32),
    "least_squares": GanLoss(least_squares_generator, least_squares_discriminator, _over_half),
    "hinge": GanLoss(wasserstein_generator, hinge_discriminator, _float32),
    "wasserstein": GanLoss(wasserstein_generator, wasserstein_discriminator, _relative),
    "relativistic": GanLoss(relativistic_generator, relativistic_discriminator, _relative),
}


def get_gan_loss(name: str) -> GanLoss:
    """The pair of losses of that name; InputError for an unknown one."""
    if name not in GAN_LOSSES:
        raise InputError(f"unknown adversarial loss '{name}'{nearest(name, GAN_LOSSES)}")
    return GAN_LOSSES[name]


def gradient_penalty(critic: Critic, real: jax.Array, fake: jax.Array, key: jax.Array) -> jax.Array:
    """WGAN-GP's mean (|dD/dz| - 1)^2 at z = a real + (1 - a) fake: Gulrajani et al. 2017,
    https://arxiv.org/abs/1704.00028. A float32 scalar; the paper's weight is 10.

    The norm is over all values of a sample; a is uniform in [0, 1), one for each sample.

    Args:
      critic: [N, ...] -> logits [N, ...], each sample by itself: batch norm would mix them. The
        logits of a map are added up.
      real, fake: images or features [N, ...] of the same shape.
      key: of the random numbers a.

    Raises:
      ValueError: if the shapes of real and fake differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real and fake differ in shape: {real.shape} and {fake.shape}")
    real, fake = _float32(real, fake)
    a = jax.random.uniform(key, (real.shape[0],) + (1,) * (real.ndim - 1))
    norm = jnp.sqrt(_squared_slopes(critic, fake + a * (real - fake)) + _EPS)
    return jnp.mean(jnp.square(norm - 1))


def r1_penalty(critic: Critic, real: jax.Array) -> jax.Array:
    """R1, mean |dD/dx|^2 / 2 at real x: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.

    A float32 scalar to be multiplied by gamma (the paper's 10). `critic` as in
    `gradient_penalty`; `real` is [N, ...].
    """
    return jnp.mean(_squared_slopes(critic, real.astype(jnp.float32))) / 2


def _squared_slopes(critic: Critic, x: jax.Array) -> jax.Array:
    """The squared norm of each sample's gradient: [N]."""
    slopes = jax.grad(lambda x: jnp.sum(critic(x)))(x)
    return jnp.sum(jnp.square(slopes), axis=tuple(range(1, x.ndim)))


def _mean_softplus(x: jax.Array) -> jax.Array:
    return jnp.mean(jax.nn.softplus(x.astype(jnp.float32)))
