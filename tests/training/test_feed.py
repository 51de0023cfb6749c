"""Where the images are and how many steps a call makes change nothing in what is trained."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.tree_util import Partial
from PIL import Image

from jaxsr.data import make_batch
from jaxsr.errors import InputError
from jaxsr.losses import get_loss
from jaxsr.training.checkpoint import load_model, read_spec
from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig
from jaxsr.training.feed import Feed
from jaxsr.training.inputs import open_inputs
from jaxsr.training.loop import train
from jaxsr.training.rules import check
from jaxsr.training.scales import call_starts, hr_cut, largest_cut

CONFIG = TrainConfig("espcn", 2, "y-uint8", "mse", 100, data=DataConfig(("a",), patch=16))


def quiet(line: str) -> None:
    del line


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXSR_CACHE", str(tmp_path / "cache"))
    noise = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for i, size in enumerate([(40, 24), (20, 50), (32, 32)]):
        pixels = noise.integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
    return tmp_path / "images"


def trained(config, workdir):
    assert train(config, workdir, say=quiet).step == config.steps
    return load_model(workdir)[1]["params"]


def small(folder, **data) -> TrainConfig:
    return replace(
        CONFIG,
        steps=6,
        data=DataConfig((str(folder),), patch=16, batch=2, **data),
        optimizer=OptimizerConfig("sgd", 0.1),
        log_every=1,
        validate_every=6,
        checkpoint_every=6,
    )


def test_residencies_train_the_same(folder, tmp_path):
    params = {
        name: trained(small(folder, residency=name), tmp_path / name)
        for name in ("memory", "mmap", "device")
    }
    assert len(list((tmp_path / "cache").glob("*.cache"))) == 1  # of mmap
    for name in ("mmap", "device"):
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-6),
            params[name],
            params["memory"],
        )


def test_several_steps_in_one_call_train_the_same(folder, tmp_path):
    config = small(folder, residency="device", grow_to=(24,), grow_at=(4,))
    one = trained(config, tmp_path / "one")
    two = trained(replace(config, steps_per_call=2), tmp_path / "two")
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-6), one, two)
    text = (tmp_path / "two" / "metrics.jsonl").read_text()
    assert text.count("train/loss") == 6  # each step is logged


@pytest.mark.parametrize("residency", ["memory", "device"])
def test_pairs_of_files(folder, tmp_path, residency):
    """LR is every second pixel of HR, one row and column of which no LR pixel covers."""
    pairs = tmp_path / "pairs"
    for name in ("HR", "LR_x2"):
        (pairs / name).mkdir(parents=True)
    for file in folder.iterdir():
        hr = np.asarray(Image.open(file))
        Image.fromarray(np.pad(hr, ((0, 1), (0, 1), (0, 0)))).save(pairs / "HR" / file.name)
        Image.fromarray(hr[::2, ::2]).save(pairs / "LR_x2" / file.name)
    config = replace(
        small(folder, residency=residency),
        model="edsr_baseline",
        model_args={"blocks": 0, "features": 4},
        protocol="rgb",
        degradation="given",
    )
    data = replace(config.data, train=(str(pairs), str(pairs)), weights=(1.0, 3.0), augment=False)
    config = replace(config, data=data)
    plan = open_inputs(config, quiet).plan
    batch = make_batch(plan, 0, 0, batch=100, augment=False)
    assert batch.lr is not None
    np.testing.assert_array_equal(batch.hr[:, ::2, ::2], batch.lr)
    assert plan.epoch_length == pytest.approx(4 * sum(plan.visits < 3), abs=2)
    trained(config, tmp_path / "run")


def test_shares_of_sets_with_several_lr_of_each_hr(folder, tmp_path):
    """As in DIV2K's wild track: two LR of each of the first set's three images."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    for file in folder.iterdir():
        lr = Image.fromarray(np.asarray(Image.open(file))[::2, ::2])
        for place in (once / file.name, *(twice / f"{file.stem}x2w{i}.png" for i in (1, 2))):
            place.parent.mkdir(exist_ok=True)
            lr.save(place)
    config = replace(small(folder), protocol="rgb", degradation="given")
    train = (f"{folder}+{twice}", f"{folder}+{once}")
    data = replace(config.data, train=train, weights=(1.0, 1.0))
    plan = open_inputs(replace(config, data=data), quiet).plan
    visits = np.bincount(plan.visits)
    assert len(visits) == 9 and visits[:6].sum() == visits[6:].sum()


def test_fixed_networks_are_there_once(folder):
    """Two losses on one network share its arrays, so that the compiler sees what both compute."""
    config = small(folder)
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    feed = Feed(config, open_inputs(config, quiet).plan, mesh)

    def arrays(loss) -> int:
        step = Partial(lambda loss, state, batch: (state, {"loss": loss(batch, batch)}), loss)
        call = feed.program(step, 16, 1)
        return len(jax.make_jaxpr(call)(jnp.zeros(3), jnp.zeros((1, 8, 8, 3))).consts)

    names = ("vgg_random_conv1_1", "vgg_random_relu1_2")
    one, both = get_loss({names[0]: 1.0}), get_loss(dict.fromkeys(names, 1.0))
    assert len(jax.tree.leaves(both)) == 2 * len(jax.tree.leaves(one))
    assert arrays(both) == arrays(one) == len(jax.tree.leaves(one))


def test_pairs_too_small_for_the_patch(folder, tmp_path):
    config = replace(small(folder), protocol="rgb", degradation="given")
    lr = tmp_path / "lr"
    lr.mkdir()
    for file in folder.iterdir():
        Image.fromarray(np.asarray(Image.open(file))[::2, ::2]).save(lr / file.name)
    lines: list[str] = []
    data = replace(config.data, train=(f"{folder}+{lr}",), patch=24)
    plan = open_inputs(replace(config, data=data), lines.append).plan
    assert len(plan.lr or ()) == 2
    assert lines == ["left out, smaller than the 24 px patch: 1.png 50x20"]
    for large in ({"patch": 48}, {"patch": 16, "grow_to": (48,), "grow_at": (3,)}):
        with pytest.raises(InputError, match=r"none of the 3 HR images has room for .* of 48x48"):
            open_inputs(replace(config, data=replace(data, **large)), quiet)


def test_a_set_with_a_share_but_no_patch(folder):
    config = small(folder)
    low = str(folder / "1.png")  # 50x20
    data = replace(config.data, train=(str(folder), low), weights=(1.0, 1.0), patch=24)
    with pytest.raises(InputError, match=rf"weights: no image of {low} has room for .* of 24x24"):
        open_inputs(replace(config, data=data), quiet)
    plan = open_inputs(replace(config, data=replace(data, weights=())), quiet).plan
    assert len(plan.hr) == 2


@pytest.mark.parametrize("protocol", ["rgb", "y-uint8"])
def test_validation_without_lr_files_is_refused_before_training(folder, protocol):
    """Where LR is given by files, validation must have them, too."""
    data = DataConfig((str(folder),), validation=(str(folder),), patch=16)
    config = replace(CONFIG, protocol=protocol, degradation="given", data=data)
    message = "no LR files for x2" if protocol == "rgb" else "to score on LR files use rgb"
    with pytest.raises(InputError, match=message):
        open_inputs(config, quiet)


def test_calls_begin_and_end_where_something_is_due():
    config = replace(CONFIG, steps=40, validate_every=15, checkpoint_every=100)
    starts = call_starts(config, 0, 4).tolist()
    assert starts == [0, 4, 8, 12, 13, 14, 15, 16, 20, 24, 28, 29, 30, 31, 32, 36, 40]
    np.testing.assert_array_equal(call_starts(config, 7, 1), range(7, 41))
    assert call_starts(config, 5, 4).tolist()[:5] == [5, 6, 7, 8, 12]
    assert call_starts(config, 40, 4).tolist() == [40]
    grown = replace(config, data=replace(config.data, grow_to=(32,), grow_at=(18,)))
    assert call_starts(grown, 16, 4).tolist()[:6] == [16, 17, 18, 19, 20, 24]
    drawn = replace(config, scales=(2, 3))
    np.testing.assert_array_equal(call_starts(drawn, 0, 4), range(41))
    shared = replace(drawn, scale_mix="batch")
    assert call_starts(shared, 0, 4).tolist() == call_starts(config, 0, 4).tolist()


def test_patches_grow():
    data = replace(CONFIG.data, grow_to=(32, 48), grow_at=(10, 20), border=4)
    config = replace(CONFIG, data=data)
    assert [hr_cut(config, step) for step in (0, 9, 10, 19, 20, 99)] == [24, 24, 40, 40, 56, 56]
    assert largest_cut(config) == 56
    check(config)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"grow_to": (32,)}, r"config.data.grow_at: \(\) are not as many as grow_to \(32,\)"),
        ({"grow_to": (32, 48), "grow_at": (20, 10)}, "not positive and rising"),
        ({"grow_to": (33,), "grow_at": (10,)}, "config.data.grow_to: 33 is no positive multiple"),
        ({"border": 3}, "config.data.border: 3 is not a multiple"),
        ({"weights": (1.0, 2.0)}, "config.data.weights: .* are not one positive number for each"),
        ({"mix": {"cutmix": 0.5}}, "unknown 'cutmix'; did you mean 'mixup'|known: cutblur"),
        ({"mix": {"mixup": 0.7, "rgb": 0.7}}, "config.data.mix: .* sum up to 1 or less"),
        ({"residency": "gpu"}, "config.data.residency: unknown 'gpu'"),
        ({"min_detail": 0.6}, "config.data.min_detail"),
    ],
)
def test_refuses(data, message):
    with pytest.raises(InputError, match=message):
        check(replace(CONFIG, data=replace(CONFIG.data, **data)))


def test_refuses_several_steps_a_call_elsewhere():
    with pytest.raises(InputError, match=r"config.steps_per_call: .* need .*residency device"):
        check(replace(CONFIG, steps_per_call=4))
    on_device = replace(CONFIG, data=replace(CONFIG.data, residency="device"))
    check(replace(on_device, steps_per_call=4))
    with pytest.raises(InputError, match=r"config.steps_per_call: must not be negative"):
        check(replace(on_device, steps_per_call=-4))


def test_a_degradation_of_ones_own_travels_with_the_run(folder, tmp_path):
    """A kernel's file may go: the checkpoint holds its numbers, and the run goes on with them."""
    kernel = tmp_path / "kernel.npy"
    np.save(kernel, np.eye(3))
    steps = [{"op": "kernel", "file": "kernel.npy"}, {"op": "downsample"}]
    (tmp_path / "mine.json").write_text(json.dumps(steps))
    config = replace(small(folder), degradation=str(tmp_path / "mine.json"))
    trained(config, tmp_path / "run")
    spec = read_spec(tmp_path / "run" / "checkpoints")[0]
    np.testing.assert_allclose(spec["config"]["degradation"][0]["kernels"], [np.eye(3)])
    assert spec["degradation"] == spec["config"]["degradation"]
    lines: list[str] = []
    assert train(config, tmp_path / "run", say=lines.append).step == config.steps  # the same run
    assert not any("differs" in line for line in lines)
    kernel.unlink()
    again = replace(config, degradation=spec["config"]["degradation"], steps=8)
    assert trained(again, tmp_path / "run")
    with pytest.raises(InputError, match="holds a run with degradation"):
        train(replace(config, degradation="bicubic"), tmp_path / "run", say=quiet)
