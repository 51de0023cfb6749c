"""Files of weights become networks: recognised, whole, of the scale and model asked for."""

import json

import jax
import numpy as np
import pytest

import jaxsr
from jaxsr.errors import InputError
from jaxsr.interop import mapping
from jaxsr.interop.files import write_state
from jaxsr.interop.layouts import edsr as edsr_layouts
from jaxsr.interop.layouts import rcan as rcan_layouts
from jaxsr.interop.layouts import swinir as swinir_layouts
from jaxsr.interop.mapping import to_file, variable_shapes
from jaxsr.interop.weights import layouts_of, load_weights_file, save_weights
from jaxsr.loading import load_model, load_weights
from jaxsr.models import create_model

LR = np.random.default_rng(3).random((1, 6, 5, 3), np.float32)
SMALL = {"blocks": 2, "features": 4, "res_scale": 1.0}


@pytest.fixture(scope="module")
def small(fake_params):
    """A small EDSR x2, its variables, and its tensors as EDSR-PyTorch saves them."""
    model = create_model("edsr", scale=2, **SMALL)
    variables = fake_params(model, LR)
    return model, variables, to_file(edsr_layouts.LAYOUTS[0], model, variables)


def write(path, state, metadata=None):
    write_state(path, state, metadata or {})
    return path


def assert_same(got, want):
    jax.tree.map(np.testing.assert_array_equal, dict(got), dict(want))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.npz"])
def test_loads_without_being_told_what(tmp_path, small, name):
    model, variables, state = small
    path = write(tmp_path / name, state)
    loaded, got, spec = load_model(path)
    assert loaded == model and spec["config"]["model"] == "edsr"
    assert spec["layout"] == "EDSR-PyTorch" and spec["config"]["model_args"] == SMALL
    assert_same(got, variables)
    assert_same(load_weights(path), variables)


@pytest.mark.parametrize("name", ["own.safetensors", "own.npz"])
def test_own_files_say_what_they_hold(tmp_path, small, name):
    model, variables, state = small
    _, _, spec = load_weights_file(write(tmp_path / "w.npz", state))
    assert save_weights(tmp_path / name, model, variables, spec) == "jaxsr"
    loaded, got, again = load_weights_file(tmp_path / name)
    assert loaded == model and again["config"] == spec["config"] and again["layout"] == "jaxsr"
    assert_same(got, variables)


def test_out_under_each_toolboxs_names(tmp_path, small):
    model, variables, state = small
    _, _, spec = load_weights_file(write(tmp_path / "w.npz", state))
    assert [layout.toolbox for layout in layouts_of(model, variables)] == [
        "EDSR-PyTorch",
        "BasicSR",
    ]
    assert save_weights(tmp_path / "a.pth", model, variables, spec) == "EDSR-PyTorch"
    assert save_weights(tmp_path / "b.pth", model, variables, spec, names="BasicSR") == "BasicSR"
    for name in "ab":
        loaded, got, _ = load_weights_file(tmp_path / f"{name}.pth")
        assert loaded == model
        assert_same(got, variables)
    with pytest.raises(InputError, match="no layout 'KAIR' of edsr; known: BasicSR, EDSR-PyTorch"):
        save_weights(tmp_path / "c.pth", model, variables, spec, names="KAIR")
    # There is no room for what jaxsr would have to read.
    with pytest.raises(InputError, match="a file of PyTorch does not say which network it holds"):
        save_weights(tmp_path / "c.pth", model, variables, spec, names="jaxsr")


def test_a_path_that_is_too_long():
    with pytest.raises(InputError, match="too long"):
        load_model("a" * 5000 + ".pth")


def test_upscales_like_the_network_that_was_saved(tmp_path, small):
    model, variables, state = small
    loaded, got, _ = load_model(write(tmp_path / "w.pth", state))
    np.testing.assert_array_equal(
        jaxsr.upscale(LR[0], model=loaded, variables=got),
        jaxsr.upscale(LR[0], model=model, variables=variables),
    )


# The scale


@pytest.fixture(scope="module")
def any_scale(fake_params):
    """A network whose tensors do not tell the scale, as a file of jaxsr without one."""
    model = create_model("edsr", scale=2, **SMALL)
    tensors = to_file(edsr_layouts.LAYOUTS[0], model, fake_params(model, LR))
    return model, tensors


@pytest.mark.parametrize(
    ("stem", "scale"),
    [("net_x3", 3), ("4x_Net", 4), ("RealESRGAN_x4plus", 4), ("PANx2_DF2K", 2), ("x2_s64w8", 2)],
)
def test_the_files_name_tells_the_scale(tmp_path, stem, scale):
    from jaxsr.interop.layout import Found
    from jaxsr.interop.weights import _choose_scale

    found = Found("vdsr", (2, 3, 4))
    assert _choose_scale(tmp_path / f"{stem}.pth", found, None, False) == scale
    assert _choose_scale(tmp_path / f"{stem}.pth", found, 2, False) == 2


@pytest.mark.parametrize("stem", ["net", "net_x8", "x2_or_x3", "0x20"])
def test_an_unknown_scale_is_asked_for(tmp_path, stem):
    from jaxsr.interop.layout import Found
    from jaxsr.interop.weights import _choose_scale

    with pytest.raises(InputError, match="its vdsr fits x2 or x3 or x4; give --scale"):
        _choose_scale(tmp_path / f"{stem}.pth", Found("vdsr", (2, 3, 4)), None, False)
    assert _choose_scale(tmp_path / "net.pth", Found("vdsr", (2, 3, 4)), None, True) == 2


# What does not fit


def refused(path, match, **arguments):
    with pytest.raises(InputError, match=match) as raised:
        load_weights_file(path, **arguments)
    assert "\n" not in str(raised.value) and str(path) in str(raised.value)


def test_another_scale_or_model(tmp_path, small):
    path = write(tmp_path / "w.npz", small[2])
    refused(path, "--scale 3, but .* holds edsr x2", scale=3)
    refused(path, "--model edsr_baseline, but .* holds edsr; drop --model", model="edsr_baseline")
    refused(path, "--model espcn, but .* holds edsr", model="espcn")
    with pytest.raises(InputError, match="unknown model 'edrs'; did you mean 'edsr'"):
        load_weights_file(path, model="edrs")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("body.1.body.2.bias"), r"'body.1.body.2.bias' of shape \(4,\) is missing"),
        (lambda s: s.pop("body.0.body.0.weight"), r"'body.0.body.0.weight' of shape .* missing"),
        (lambda s: s.update(extra=np.zeros(3)), r"no use for the tensor 'extra' of shape \(3,\)"),
        (
            lambda s: s.update({"tail.1.weight": np.zeros((3, 5, 3, 3), np.float32)}),
            r"'tail.1.weight' has shape \(3, 5, 3, 3\); EDSR x2 needs \(3, 4, 3, 3\)",
        ),
        (
            lambda s: s["head.0.bias"].__setitem__(0, np.nan),
            "'head.0.bias' holds NaN or infinity",
        ),
        (
            lambda s: s.update({"sub_mean.bias": np.array([-1.0, -2.0, -3.0])}),
            "'sub_mean.bias' is not EDSR x2's constant",
        ),
    ],
)
def test_a_wrong_tensor_is_named(tmp_path, small, change, match):
    state = {key: np.array(value) for key, value in small[2].items()}
    change(state)
    refused(write(tmp_path / "w.npz", state), match)


def test_tensors_of_no_known_network(tmp_path):
    state = {"a": np.zeros(2), "b.weight": np.zeros((1, 2)), "c": np.zeros(()), "d": np.zeros(1)}
    path = write(tmp_path / "w.npz", state)
    refused(path, r"these 4 tensors: 'a' \(2,\), 'b.weight' \(1, 2\), 'c' \(\), \.\.\.")
    refused(path, "the tensor 'body.0.body.0.bias' of shape .256,. is missing", model="edsr")


def test_the_complaint_is_in_the_names_of_the_file(tmp_path, small):
    state = to_file(edsr_layouts.LAYOUTS[-1], *small[:2])
    del state["conv_first.weight"]  # by which BasicSR's are recognised
    path = write(tmp_path / "w.npz", state)
    refused(
        path, r"'body.0.conv1.bias' has shape \(4,\); EDSR x2 needs \(256,\)", model="edsr", scale=2
    )


def test_numbers_beyond_float32(tmp_path, small, recwarn):
    path = write(tmp_path / "w.npz", small[2] | {"head.0.bias": np.full(4, 1e300)})
    refused(path, "'head.0.bias' holds NaN or infinity")
    assert not recwarn.list


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[" * 10**5,
        '{"model": "edsr"}',
        json.dumps({"model": 1, "scales": "x", "args": {}}),
    ],
)
def test_damaged_metadata(tmp_path, small, text):
    path = write(tmp_path / "w.safetensors", small[2], {"jaxsr": text})
    refused(path, "its 'jaxsr' metadata is damaged")


@pytest.mark.parametrize(
    "said",
    [
        {"model": ["edsr"]},
        {"scales": [float("inf")]},
        {"scales": [5]},
        {"args": {"scale": 3}},
        {"args": {"name": "a"}},
        {"args": {"features": "many"}},
        {"args": {"features": 0}},
        {"args": {"features": -1}},
        {"args": {"blocks": 2.5}},
        {"args": {"blocks": 10**4}},
        {"args": {"features": 10**9}},
        {"model": "drrn", "args": {"units": 10**9}},
        {"scales": [2, 2.5, 16]},
        {"args": {"none" * 10_000: 1}},
        {"model": "swinir", "args": {"heads": 7, "blocks": 1, "layers": 1}},
    ],
    ids=lambda said: str(said)[:40],
)
def test_metadata_that_ask_for_nonsense(tmp_path, small, monkeypatch, said):
    monkeypatch.setattr(mapping, "_MOST_LAYERS", 100)
    text = json.dumps({"model": "edsr", "scales": [2], "args": {}} | said)
    path = write(tmp_path / "w.safetensors", small[2], {"jaxsr": text})
    refused(path, "damaged|no scale|has not|there is no|more than 100 layers|cannot build")


def test_sizes_that_no_network_has(tmp_path, fake_params):
    """A squeeze to more channels than there are: a reduction by 0."""
    model = create_model("rcan", scale=2, groups=1, blocks=1)
    state = to_file(rcan_layouts.LAYOUTS[0], model, fake_params(model, LR))
    squeeze = "body.0.body.0.body.3.conv_du.0.weight"
    path = write(tmp_path / "w.npz", state | {squeeze: np.zeros((65, 64, 1, 1), np.float32)})
    refused(path, "there is no rcan x2 of groups 1, blocks 1, reduction 0")


@pytest.mark.parametrize(
    ("key", "claimed"),
    [
        ("blocks.1.attn_mask", (2**40, 0)),
        ("blocks.0.attn.relative_position_bias_table", (199**2, 2)),
    ],
)
def test_windows_that_would_take_all_memory(tmp_path, key, claimed):
    """SwinIR's masks are made, not read: of a size that the file claims."""
    sizes = {"blocks": 1, "layers": 2, "features": 12, "heads": 2}
    model = create_model("swinir_light", scale=2, window=4, size=8, **sizes)
    zeros = jax.tree.map(lambda spec: np.zeros(spec.shape, np.float32), variable_shapes(model))
    state = to_file(swinir_layouts.LAYOUTS[0], model, zeros)
    key = f"layers.0.residual_group.{key}"
    assert key in state
    path = write(tmp_path / "w.npz", state | {key: np.zeros(claimed, np.float32)})
    refused(path, "attn_mask|no network that jaxsr knows")


def test_a_network_without_its_up_sampler(tmp_path, small):
    state = {key: value for key, value in small[2].items() if not key.startswith("tail.0")}
    refused(write(tmp_path / "w.npz", state), "edsr has no scale 1")
    # A scale of so many digits that Python does not write them.
    many = {f"tail.0.{2 * i}.weight": np.zeros(0) for i in range(15_000)}
    refused(write(tmp_path / "w.safetensors", small[2] | many), "no network that jaxsr knows")


def test_a_model_of_another_version(tmp_path, small):
    text = json.dumps({"model": "hat", "scales": [2], "args": {}})
    path = write(tmp_path / "w.safetensors", small[2], {"jaxsr": text})
    refused(path, "holds 'hat', which this version of jaxsr has not")
