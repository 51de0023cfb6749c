"""The numbers of the adversarial recipes, as the papers and their authors' code have them."""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import pytest

from jaxsr.training.adversarial_state import make_judges
from jaxsr.training.config import TrainConfig
from jaxsr.training.optimizer import make_schedule
from jaxsr.training.setup import fresh_state
from jaxsr.training.stages import first_stage
from tests.training.configs import variants, zeros_for_missing_weights


class Stage(NamedTuple):
    """What is published of one stage of training."""

    patch: int  # of HR
    batch: int
    steps: int
    loss: Any
    rates: dict[int, float]  # learning rates of some updates, numbered from 0
    b2: float = 0.999
    eps: float = 1e-8


class Game(NamedTuple):
    """What is published of the second stage's players."""

    discriminators: dict[str, tuple[str, str, float, int]]  # model, on, weight, parameters
    loss: str = "vanilla"
    order: str = "discriminator"  # or "together", in which code by PyTorch has it
    loss_weight: float = 1.0  # of the discriminators' own losses


EPOCH = 11_111  # SRFeat's: 100,000 patches in batches of nine
VGG54 = {"vgg19_caffe_relu5_4_mse": 0.00615}
ENHANCENET = Stage(128, 16, 500_000, "mse", {0: 1e-4, 499_999: 1e-4})
PERCEPTUAL = {"vgg19_caffe_enhancenet": 1.0}
RECIPES: dict[str, tuple[Stage | None, Stage, Game | None]] = {
    "srgan": (
        Stage(96, 16, 1_000_000, "mse", {0: 1e-4, 999_999: 1e-4}),
        Stage(96, 16, 200_000, VGG54, {0: 1e-4, 99_999: 1e-4, 100_000: 1e-5, 199_999: 1e-5}),
        Game({"image": ("srgan", "image", 1e-3, 23_563_649)}),
    ),
    # Batches and updates are not published.
    "enhancenet:e": (None, ENHANCENET, None),
    "enhancenet:p": (ENHANCENET, ENHANCENET._replace(loss=PERCEPTUAL), None),
    "enhancenet:pa": (
        ENHANCENET,
        ENHANCENET._replace(loss=PERCEPTUAL),
        Game({"image": ("enhancenet", "image", 1.0, 13_102_881)}),
    ),
    "enhancenet:pat": (
        ENHANCENET,
        ENHANCENET._replace(loss=PERCEPTUAL | {"vgg19_caffe_texture": 1.0}),
        Game({"image": ("enhancenet", "image", 2.0, 13_102_881)}, loss_weight=2.0),
    ),
    "srfeat": (
        Stage(296, 9, 20 * EPOCH, "mse", {0: 1e-4, 17 * EPOCH - 1: 1e-4, 17 * EPOCH: 1e-5}),
        Stage(
            *(296, 9, 5 * EPOCH, VGG54),
            {2 * EPOCH - 1: 1e-4, 2 * EPOCH: 1e-5, 4 * EPOCH - 1: 1e-5, 4 * EPOCH: 1e-6},
            eps=1e-10,
        ),
        Game(
            {
                "image": ("srfeat_image", "image", 1e-3, 193_959_105),
                "feature": ("srfeat_feature", "vgg19_caffe_relu5_4", 1e-3, 7_081_473),
            },
            loss_weight=1e-3,
        ),
    ),
    "esrgan": (
        Stage(192, 16, 1_000_000, "l1", {199_999: 2e-4, 200_000: 1e-4, 999_999: 1.25e-5}),
        Stage(
            *(128, 16, 400_000, {"l1": 0.01, "vgg19_conv5_4": 1.0}),
            {
                **{0: 1e-4, 49_999: 1e-4, 50_000: 5e-5, 99_999: 5e-5, 100_000: 2.5e-5},
                **{199_999: 2.5e-5, 200_000: 1.25e-5, 299_999: 1.25e-5, 300_000: 6.25e-6},
            },
        ),
        Game({"image": ("vgg_style", "image", 5e-3, 14_499_401)}, "relativistic", "together"),
    ),
    "realesrgan": (
        Stage(256, 48, 1_000_000, "l1", {0: 2e-4, 999_999: 2e-4}, b2=0.99),
        Stage(
            *(256, 48, 400_000, {"l1": 1.0, "vgg19_realesrgan": 1.0}),
            {0: 1e-4, 399_999: 1e-4},
            b2=0.99,
        ),
        Game({"image": ("unet", "image", 0.1, 4_376_897)}, order="together"),
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_have_the_published_numbers(name):
    stem, _, variant = name.partition(":")
    config, (before, stage, game) = variants(stem)[variant], RECIPES[name]
    first = first_stage(config)
    assert (first is None) == (before is None) and not (first and first.adversarial.discriminators)
    for ours, theirs in ((first, before), (config, stage)):
        if ours is not None and theirs is not None:
            follows(ours, theirs)
    adversarial = config.adversarial
    assert bool(adversarial.discriminators) == (game is not None)
    if game is None:
        return
    assert adversarial.optimizer == config.optimizer
    for field in ("loss", "order", "loss_weight"):
        assert getattr(adversarial, field) == getattr(game, field), field
    assert adversarial.freeze_batch_norm == (stem == "srfeat")
    assert (adversarial.lag > 0) == (stem == "enhancenet")
    assert (adversarial.generator_every, adversarial.discriminator_every) == (1, 1)
    with zeros_for_missing_weights():
        state: Any = jax.eval_shape(lambda: fresh_state(config, make_judges(adversarial)))
    found = {
        key: (one.model, one.on, one.weight, size(state.discriminators[key].params))
        for key, one in adversarial.discriminators.items()
    }
    assert found == game.discriminators


def follows(config: TrainConfig, stage: Stage) -> None:
    """Asserts that a config is what is published of a stage."""
    optimizer = config.optimizer
    assert (config.data.patch, config.data.batch) == (stage.patch, stage.batch)
    assert config.steps == stage.steps
    if isinstance(stage.loss, str):
        assert config.loss == stage.loss
    else:  # 0.00615 is 1 / 12.75^2, rounded
        assert config.loss == pytest.approx(stage.loss, rel=1e-3)
    rate: Any = make_schedule(optimizer, config.steps)
    assert {k: float(rate(k)) for k in stage.rates} == pytest.approx(stage.rates, rel=1e-5)
    assert (optimizer.name, optimizer.b1) == ("adam", 0.9)
    assert (optimizer.b2, optimizer.eps) == (stage.b2, stage.eps)
    assert optimizer.weight_decay == optimizer.clip_norm == optimizer.clip_value == 0


def size(tree: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("variant", ["x2", "x4", "tiny"])
def test_realesrnet_is_the_first_stage_of_realesrgan(variant):
    whole, alone = variants("realesrgan")[variant], variants("realesrnet")[variant]
    first = first_stage(whole)
    assert first is not None and replace(first, metrics=alone.metrics) == alone


def test_data_of_realesrgan():
    """Patches out of 400 degraded pixels, only flipped; L1 and features to sharpened HR."""
    config = variants("realesrgan")["x4"]
    data = config.data
    assert (data.patch + 2 * data.border, data.upright, data.sharpen) == (400, True, True)
    assert config.degradation == "realesrgan" and config.ema == 0.999
