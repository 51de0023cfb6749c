"""Every file in configs/, and every network by the config that trains it."""

import functools
import json
import math
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.data import Batch
from jaxsr.evaluation import degradation_of
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import MODELS, create_model
from jaxsr.training import adversarial_state
from jaxsr.training import state as state_module
from jaxsr.training.adversarial_state import AdversarialState, make_judges
from jaxsr.training.config import TrainConfig, from_dict, override, to_dict
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.pairing import make_pairing
from jaxsr.training.rules import check
from jaxsr.training.scales import hr_cut, scales_of
from jaxsr.training.setup import build_step, fresh_state
from jaxsr.training.stages import first_stage
from jaxsr.training.state import create_state
from jaxsr.training.step import make_train_step
from jaxsr.training.supervision import get_supervision
from jaxsr.training.turns import Turn
from tests.training.configs import FILES, variants, zeros_for_missing_weights

# Less to optimise is less to compile; what is tested does not depend on it.
UNOPTIMISED: Any = {"xla_backend_optimization_level": 0}
ADVERSARIAL = ["enhancenet", "esrgan", "realesrgan", "srfeat", "srgan"]
TRAINED = [name for name, card in MODELS.items() if card.needs_weights]


def first_steps(stem: str, model: str) -> list[dict[str, float]]:
    """The metrics of `tiny`, for a model of its file, before its first update and after it.

    Where it has two stages, of the one for PSNR.
    """
    config = replace(variants(stem)["tiny"], model=model)
    return steps_of(json.dumps(to_dict(first_stage(config) or config)))


@functools.cache  # a stage may be another file's run
def steps_of(written: str) -> list[dict[str, float]]:
    config = from_dict(json.loads(written))
    after_warmup = config.optimizer.warmup
    scales = scales_of(config, after_warmup)
    models = [create_model(config.model, scale=s, **config.model_args) for s in scales]
    optimizer = make_optimizer(config.optimizer, config.steps)
    protocol = get_protocol(config.protocol)
    degradations = [degradation_of(config.degradation, s) for s in scales]
    step = make_train_step(
        models,
        [
            make_pairing(protocol, degrade, s, config.data)
            for degrade, s in zip(degradations, scales, strict=True)
        ],
        optimizer,
        get_loss(config.loss),
        config.ema,
        get_supervision(config.supervision, config.anneal_steps),
    )
    step = jax.jit(step, compiler_options=UNOPTIMISED)
    # Keys of XLA's own generator are compiled much faster than the default ones.
    key = jax.random.key(config.seed, impl="rbg")
    state: Any = create_state(models[0], optimizer, key, ema=config.ema > 0)
    hr = textures(config.data.batch, hr_cut(config, after_warmup))
    batch = Batch(np.arange(len(hr), dtype=np.uint32), hr)
    metrics = []
    for _ in range(2):
        state, values = step(replace(state, step=after_warmup), batch)
        metrics.append({name: float(value) for name, value in values.items()})
    return metrics


def trains(config: TrainConfig, model: str) -> bool:
    """Also srgan, which is srresnet trained otherwise."""
    names, scale = (config.model, model), config.scale
    if scale not in MODELS[model].scales:
        return False
    ours, theirs = (create_model(name, scale=scale) for name in names)
    return ours == theirs


def textures(count: int, size: int) -> np.ndarray:
    """Smooth random patches, uint8 [count, size, size, 3]."""
    noise = np.random.default_rng(0)
    seeds = (Image.fromarray(noise.integers(0, 256, (6, 6, 3), np.uint8)) for _ in range(count))
    large = [seed.resize((size, size), Image.Resampling.BICUBIC) for seed in seeds]
    return np.stack([np.asarray(image) for image in large])


def test_there_are_configs():
    assert FILES


@pytest.mark.parametrize("stem", FILES)
def test_every_variant_keeps_the_rules(stem):
    for name, config in variants(stem).items():
        with zeros_for_missing_weights():
            check(config if config.data.train else override(config, "data.train", "FOLDER"))
        assert from_dict(json.loads(json.dumps(to_dict(config)))) == config, name


@pytest.mark.parametrize("stem", FILES)
def test_tiny_lowers_its_loss(stem):
    """On one batch, by the first update after the warm-up."""
    metrics = first_steps(stem, variants(stem)["tiny"].model)
    assert metrics[-1]["loss"] < metrics[0]["loss"]


@pytest.mark.parametrize("model", TRAINED)
def test_every_network_has_a_config_and_starts_with_a_gradient(model):
    """At its own initialisation, as small as `tiny` of the config that has it as a variant."""
    files = [stem for stem in FILES if any(trains(c, model) for c in variants(stem).values())]
    assert files, f"no file in configs/ trains {model}"
    files.sort(key=lambda stem: variants(stem)["tiny"].model != model)
    metrics = first_steps(files[0], model)
    assert all(math.isfinite(value) for values in metrics for value in values.values())
    assert metrics[0]["grad_norm"] > 0


def test_every_adversarial_config_is_among_them():
    found = [stem for stem in FILES if variants(stem)["tiny"].adversarial.discriminators]
    assert found == ADVERSARIAL


@pytest.mark.parametrize("stem", ADVERSARIAL)
def test_tiny_trains_both_players(stem, fake_params, monkeypatch):
    """Two steps move every parameter of generator and discriminators, and of no fixed network."""
    for module in (state_module, adversarial_state):  # which would compile for longer than the step
        monkeypatch.setattr(module, "initialised", lambda net, key, probe: fake_params(net, probe))
    config = replace(variants(stem)["tiny"], degradation="bicubic")  # its own: `first_steps`
    judges = make_judges(config.adversarial)
    with jax.default_prng_impl("rbg"):
        first: Any = fresh_state(config, judges)
    step = build_step(config, judges, (config.scale,), Turn())
    fixed = jax.tree.map(np.array, step)
    run = jax.jit(lambda step, *inputs: step(*inputs), compiler_options=UNOPTIMISED)
    hr = textures(config.data.batch, hr_cut(config, 0))
    state = first
    for i in range(2):
        batch = Batch(np.arange(i * len(hr), (i + 1) * len(hr), dtype=np.uint32), hr)
        state, metrics = run(step, state, batch)
        assert all(np.isfinite(value) for value in metrics.values()), metrics
        assert metrics["skipped"] == 0
    assert state.discriminators.keys() == config.adversarial.discriminators.keys()

    def players(state: AdversarialState) -> Any:
        return state.generator.params, {n: d.params for n, d in state.discriminators.items()}

    same = jax.tree.map(np.array_equal, players(first), players(state))
    assert not [path for path, equal in jax.tree.leaves_with_path(same) if equal]
    assert jax.tree.leaves(fixed)
    jax.tree.map(np.testing.assert_array_equal, fixed, step)
