"""Who learns in a step: a function of its number, so that every kind is a program of its own."""

from typing import NamedTuple

from jaxsr.training.config import AdversarialConfig


class Turn(NamedTuple):
    """Whether the generator learns, whether the discriminators do, and with the R1 penalty."""

    generator: bool = True
    discriminator: bool = True
    penalty: bool = False


def turn_of(config: AdversarialConfig, step: int) -> Turn:
    """The turn of step number `step`, from 0. Both learn in step 0."""
    update, rest = divmod(step, config.discriminator_every)
    learns = rest == 0
    return Turn(
        generator=step % config.generator_every == 0,
        discriminator=learns,
        penalty=learns and config.r1 > 0 and update % config.r1_every == 0,
    )
