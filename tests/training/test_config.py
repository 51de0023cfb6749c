"""The configuration: files, overrides, JSON and back, every rule."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jaxsr.errors import InputError
from jaxsr.training.config import (
    DataConfig,
    OptimizerConfig,
    TrainConfig,
    from_dict,
    load_config,
    override,
    to_dict,
)
from jaxsr.training.rules import check

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.py"))
CONFIG = TrainConfig(
    model="espcn",
    scale=3,
    protocol="y-uint8",
    loss="mse",
    steps=100,
    data=DataConfig(train=("a", "b"), patch=51),
)


def one_line(error):
    return "\n" not in str(error.value)


# The files


def test_files_that_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no file .*missing\.py"):
        load_config(str(tmp_path / "missing.py"))
    with pytest.raises(InputError, match="no variant 'tyny'; did you mean 'tiny'"):
        load_config(f"{CONFIGS[0]}:tyny")
    file = tmp_path / "config.py"
    for text, message in (
        ("x = 1", "defines no get_config"),
        ("def get_config(variant): return 3", "defines no get_config"),
        ("def get_config(variant): return 1 / 0", "fails: ZeroDivisionError"),
        ("def get_config(", "fails: SyntaxError"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message) as error:
            load_config(str(file))
        assert str(file) in str(error.value) and one_line(error)


# Overrides


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("steps", "1e5", 100_000),
        ("steps", "7", 7),
        ("ema", "0", 0.0),
        ("optimizer.learning_rate", "2e-3", 2e-3),
        ("data.augment", "false", False),
        ("data.augment", "True", True),
        ("model", "edsr", "edsr"),
        ("model", "123", "123"),
        ("data.train", "a,b", ("a", "b")),
        ("data.train", "a", ("a",)),
        ("data.validation", "", ()),
        ("data.rescale", "1,0.5", (1.0, 0.5)),
        ("model_args.icnr", "true", True),
        ("model_args.features", "8", 8),
        ("model_args.scales", "[2, 3]", (2, 3)),
        ("scales", "2,3", (2, 3)),
        ("loss", "l1", "l1"),
        ("loss", "{'l1': 0.16, 'ssim': 0.84}", {"l1": 0.16, "ssim": 0.84}),
        ("optimizer.milestones", "1e5,2e5", (100_000, 200_000)),
    ],
)
def test_override(path, text, value):
    node = override(CONFIG, path, text)
    for name in path.split("."):
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    assert node == value and type(node) is type(value)


def test_override_of_a_rate_whose_pattern_has_dots():
    config = override(CONFIG, "optimizer.rates.conv3/.*", "0.1")
    config = override(config, "optimizer.rates.bias", "2")
    config = override(config, "optimizer.rates.conv3/.*", "0.5")
    # The last to come is the first to count.
    assert list(config.optimizer.rates.items()) == [("bias", 2.0), ("conv3/.*", 0.5)]
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    with pytest.raises(InputError, match="expected float, got 'x'"):
        override(CONFIG, "optimizer.rates.a.b", "x")


def test_override_of_a_loss_of_several_terms():
    config = override(CONFIG, "loss", "{'l1': 1}")
    config = override(config, "loss.ssim", "0.5")
    assert config.loss == {"l1": 1, "ssim": 0.5}
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    assert override(config, "loss", "mse").loss == "mse"
    with pytest.raises(InputError, match=r"config\.loss\.ssim: 'loss' has no fields"):
        override(CONFIG, "loss.ssim", "0.5")


def test_override_leaves_the_rest_alone():
    changed = override(CONFIG, "data.batch", "3")
    assert changed == replace(CONFIG, data=replace(CONFIG.data, batch=3))
    assert CONFIG.data.batch == 16


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("stepz", "1", "config.stepz: no such field; did you mean 'steps'"),
        ("data.bach", "1", "config.data.bach: no such field; did you mean 'batch'"),
        ("steps", "1.5", "config.steps: expected int, got 1.5"),
        ("steps", "many", "config.steps: expected int, got 'many'"),
        ("steps", "true", "config.steps: expected int, got True"),
        ("ema", "None", "config.ema: expected float, got None"),
        ("data.augment", "1", "config.data.augment: expected bool, got 1"),
        ("data.rescale", "1,x", "config.data.rescale: expected float, got 'x'"),
        ("data", "1", "config.data: set one of its fields"),
        ("steps.more", "1", "config.steps.more: 'steps' has no fields"),
    ],
)
def test_overrides_that_are_refused(path, text, message):
    with pytest.raises(InputError) as error:
        override(CONFIG, path, text)
    assert str(error.value).startswith(message) and one_line(error)


# Dictionaries


def test_json_and_back():
    config = replace(
        CONFIG,
        model_args={"icnr": True, "scales": (2, (3, 4))},
        optimizer=OptimizerConfig(warmup=5, milestones=(5, 7), rates={"bias": 0.1, "a.b": 2.0}),
        scales=(2, 3),
    )
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modell": "x"}, "config.modell: no such field; did you mean 'model'"),
        ({"data": {"patch": "x"}}, "config.data.patch: expected int, got 'x'"),
        ({"data": 3}, "config.data: expected a mapping"),
        ({"data": {"train": "folder"}}, "config.data.train: expected tuple, got 'folder'"),
    ],
)
def test_dicts_that_are_refused(change, message):
    with pytest.raises(InputError) as error:
        from_dict(to_dict(CONFIG) | change)
    assert str(error.value).startswith(message) and one_line(error)


def test_a_missing_field():
    values = to_dict(CONFIG)
    del values["scale"]
    with pytest.raises(InputError, match="config: the field 'scale' is missing"):
        from_dict(values)


# Rules


def test_a_good_config_passes():
    check(CONFIG)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("model", "espcm", "unknown model 'espcm'; did you mean 'espcn'"),
        ("scale", "5", "espcn has no scale 5"),
        ("model_args.icmr", "true", "espcn has no such field; did you mean 'icnr'"),
        ("model_args.icnr", "maybe", "config.model_args.icnr: expected bool, got 'maybe'"),
        ("model_args.dtype", "float7", "config.model_args: espcn cannot be built"),
        ("model_args.icnr.deep", "1", "espcn has no such field"),
        ("seed", "9223372036854775808", "config.seed"),
        ("optimizer.b1", "2.0", "config.optimizer.b1"),
        ("optimizer.learning_rate", "1e999", "config.optimizer.learning_rate"),
        ("model", "bicubic", "config.model: bicubic has nothing to train"),
        ("model", "edsr", "config.protocol: y-uint8 feeds luma, but edsr takes RGB"),
        ("protocol", "y", "unknown protocol 'y'"),
        ("loss", "l3", "unknown loss 'l3'"),
        ("loss", "{'l1': 1, 'l3': 1}", "unknown loss 'l3'"),
        ("loss", "{'l1': -1}", "loss: the weight of 'l1' must be a positive number: -1"),
        ("loss", "[1]", "loss: expected a name or"),
        ("loss", "ms_ssim", r"ms_ssim of 5 scales needs images of 176 .* got \(51, 51\)"),
        ("degradation", "cubic", "unknown degradation 'cubic'"),
        ("data.patch", "50", "config.data.patch: 50 .* nearest: 51"),
        ("data.patch", "0", "config.data.patch: 0 .* nearest: 3"),
        ("data.batch", "0", "config.data.batch: must be positive, got 0"),
        ("data.train", "", "config.data.train: no images"),
        ("data.rescale", "", "config.data.rescale"),
        ("data.rescale", "1,1.5", "config.data.rescale"),
        ("data.rescale", "0", "config.data.rescale"),
        ("data.memory_limit_mib", "-1", "config.data.memory_limit_mib"),
        ("optimizer.schedule", "cosin", "unknown 'cosin'; did you mean 'cosine'"),
        ("optimizer.schedule", "step", "config.optimizer.decay_every"),
        ("optimizer.name", "adamm", "unknown 'adamm'; did you mean 'adam'"),
        ("optimizer.milestones", "5,5", r"milestones: \(5, 5\) are not positive and rising"),
        ("optimizer.decay_factor", "0", "config.optimizer.decay_factor"),
        ("optimizer.end_rate", "1", "config.optimizer.end_rate: 1.0 is not between"),
        ("optimizer.momentum", "1", "config.optimizer.momentum: 1.0 is not in"),
        ("optimizer.restart_every", "-1", "config.optimizer.restart_every"),
        ("optimizer.weight_decay", "-1", "config.optimizer.weight_decay"),
        ("optimizer.clip_value", "-1", "config.optimizer.clip_value"),
        ("optimizer.adjustable_clip", "-1", "config.optimizer.adjustable_clip"),
        ("optimizer.adjustable_clip_norm", "-1", "config.optimizer.adjustable_clip_norm"),
        ("optimizer.rates.bias", "-1", "config.optimizer.rates.bias: must be finite"),
        ("optimizer.rates.(", "1", r"config.optimizer.rates.\(: is no regular expression"),
        ("supervision", "sums", "unknown 'sums'; did you mean 'sum'"),
        ("optimizer.rates.conv9", "1", r"config.optimizer.rates.conv9: no parameter has it"),
        ("supervision", "anneal", "config.anneal_steps: anneal needs"),
        ("supervision", "sum", "config.supervision: espcn x3 has no outputs besides SR; use none"),
        ("scales", "2,4", r"config.scales: \(2, 4\) are without config.scale 3"),
        ("scales", "3,3", "names one twice"),
        ("scales", "2,3", "config.scales: espcn has other parameters at x2 than at x3"),
        ("scale_mix", "steps", "unknown 'steps'; did you mean 'step'"),
        ("optimizer.warmup", "101", "config.optimizer.warmup: 101 is not within the 100 steps"),
        ("optimizer.warmup", "-1", "config.optimizer.warmup"),
        ("optimizer.learning_rate", "0", "config.optimizer.learning_rate"),
        ("optimizer.clip_norm", "-1", "config.optimizer.clip_norm"),
        ("ema", "1", "config.ema: 1.0 is not in"),
        ("ema", "-0.1", "config.ema"),
        ("seed", "-1", "config.seed"),
        ("steps", "0", "config.steps: must be positive, got 0"),
        ("log_every", "0", "config.log_every"),
        ("validate_every", "0", "config.validate_every"),
        ("checkpoint_every", "0", "config.checkpoint_every"),
    ],
)
def test_rules(path, text, message):
    with pytest.raises(InputError, match=message) as error:
        check(override(CONFIG, path, text))
    assert one_line(error)
