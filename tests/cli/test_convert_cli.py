"""`jaxsr convert`, and `upscale` and `eval.py` with a file of weights."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.image.io import Picture, read_image, write_image
from jaxsr.interop.files import read_state, write_state
from jaxsr.interop.layouts.edsr import LAYOUTS
from jaxsr.interop.mapping import to_file
from jaxsr.loading import load_discriminator, load_model
from jaxsr.models import create_model
from jaxsr.models.discriminators import create_discriminator
from jaxsr.training.checkpoint import Checkpoints
from jaxsr.training.config import AdversarialConfig, DiscriminatorConfig, TrainConfig, to_dict

ROOT = Path(__file__).parents[2]


@pytest.fixture
def weights(tmp_path, fake_params):
    """A small EDSR x2 as EDSR-PyTorch saves it."""
    model = create_model("edsr", scale=2, blocks=1, features=4, res_scale=1.0)
    state = to_file(LAYOUTS[0], model, fake_params(model, np.zeros((1, 4, 4, 3), np.float32)))
    write_state(tmp_path / "edsr.pth", state, {})
    return tmp_path / "edsr.pth"


def test_there_and_back(tmp_path, weights, capsys):
    own, back = tmp_path / "own.safetensors", tmp_path / "back.pth"
    assert main(["convert", str(weights), str(own)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    # 3 -> 4 channels, three layers 4 -> 4, one 4 -> 16 before the shuffle, 4 -> 3, with biases
    assert first == f"edsr x2, {112 + 3 * 148 + 592 + 111:,} parameters"
    assert second == f"{weights} (EDSR-PyTorch) -> {own} (jaxsr)"
    assert main(["convert", str(own), str(back)]) == 0
    old, new = read_state(weights)[0], read_state(back)[0]
    assert list(new) == list(old)
    for key, value in old.items():
        np.testing.assert_array_equal(new[key], value)


def test_upscale_with_weights(tmp_path, weights):
    picture = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    write_image(tmp_path / "in.png", Picture(picture, None))
    out = tmp_path / "out.png"
    assert (
        main(["upscale", str(tmp_path / "in.png"), "-o", str(out), "--weights", str(weights)]) == 0
    )
    assert read_image(out).pixels.shape == (12, 14, 3)


@pytest.fixture
def run_folder(tmp_path, fake_params):
    """A run of a GAN, less what no command reads, and the variables of its networks."""
    x = np.zeros((1, 8, 8, 3), np.float32)
    model = create_model("edsr", scale=2, blocks=1, features=4, res_scale=1.0)
    args = {"features": 2, "layers": 1}
    params = fake_params(model, x)["params"]
    opponent = fake_params(create_discriminator("patchgan", **args), x)
    config = TrainConfig(
        model="edsr",
        scale=2,
        protocol="rgb",
        loss="l1",
        steps=1,
        model_args={"blocks": 1, "features": 4, "res_scale": 1.0},
        adversarial=AdversarialConfig({"d": DiscriminatorConfig("patchgan", args)}),
    )
    state = {
        "generator": {
            "params": params,
            "ema": jax.tree.map(lambda x: x + np.float32(0.05), params),
        },
        "discriminators": {"d": opponent},
    }
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        checkpoints.save(1, jax.tree.map(jnp.asarray, state), spec={"config": to_dict(config)})
    return state


def assert_same(got, want):
    jax.tree.map(np.testing.assert_array_equal, got, want)


def test_generator_of_a_gan(tmp_path, run_folder, capsys):
    for network, held in (([], "ema"), (["--network=ema"], "ema"), (["--network=raw"], "params")):
        out = tmp_path / "out.npz"
        assert main(["convert", str(tmp_path / "run"), str(out), *network]) == 0
        assert capsys.readouterr().out.startswith("edsr x2, ")
        assert_same(load_model(out)[1]["params"], run_folder["generator"][held])


def test_upscale_and_eval_take_the_average_from_a_gan(tmp_path, run_folder):
    """From the run folder as from the file that was written of it, and not the raw parameters."""
    noise = np.random.default_rng(0)
    lr, hr = tmp_path / "set" / "LR_x2" / "a.png", tmp_path / "set" / "HR" / "a.png"
    for path, size in ((lr, (8, 9, 3)), (hr, (16, 18, 3))):
        path.parent.mkdir(parents=True)
        write_image(path, Picture(noise.integers(0, 256, size, np.uint8), None))
    for network in ("ema", "raw"):
        files = [str(tmp_path / "run"), str(tmp_path / f"{network}.npz")]
        assert main(["convert", *files, "--network", network]) == 0

    def upscaled(*source: str) -> np.ndarray:
        out = tmp_path / "out.png"
        assert main(["upscale", str(lr), "-o", str(out), *source]) == 0
        return read_image(out).pixels

    run_source = f"--checkpoint={tmp_path / 'run'}"
    eval_py = runpy.run_path(str(ROOT / "eval.py"))["main"]
    options = [f"--data={tmp_path / 'set'}", f"--save={tmp_path / 'sr'}"]
    assert eval_py([run_source, *options]) == 0
    want = upscaled(f"--weights={tmp_path / 'ema.npz'}")
    # eval.py's program is another one, whose result may round to the next of 256 levels.
    scored = read_image(tmp_path / "sr" / "set" / "a.png").pixels.astype(int)
    assert np.abs(scored - want).max() <= 1
    np.testing.assert_array_equal(upscaled(run_source), want)
    assert np.abs(upscaled(f"--weights={tmp_path / 'raw.npz'}").astype(int) - want).max() > 1


def test_discriminator_out_and_in(tmp_path, run_folder, capsys):
    """By its name or without one, and from format to format."""
    want = run_folder["discriminators"]["d"]
    for source, out, network in (
        ("run", "d.safetensors", "discriminator"),
        ("run", "d.npz", "discriminator:d"),
        ("d.npz", "e.safetensors", "discriminator"),
    ):
        files = [str(tmp_path / source), str(tmp_path / out)]
        assert main(["convert", *files, "--network", network]) == 0
        # 3 -> 2 channels by 4 x 4 with biases, 2 -> 4 without, a norm of 4, 4 -> 1 with a bias
        count = (96 + 2) + 128 + 8 + (64 + 1)
        kind = "run" if source == "run" else "jaxsr"
        assert capsys.readouterr().out.splitlines() == [
            f"discriminator patchgan on image, {count} parameters",
            f"{files[0]} ({kind}) -> {files[1]} (jaxsr)",
        ]
        module, variables, spec = load_discriminator(tmp_path / out)
        assert module == create_discriminator("patchgan", features=2, layers=1)
        assert_same(variables, want)
        assert spec["discriminator"]["on"] == "image"
    # The same weights give the same file.
    first, second = (tmp_path / name for name in ("d.safetensors", "e.safetensors"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "o.npz", "--network=g"], "error: --network g: choose ema, raw, discriminator"),
        (["run", "o.npz", "--network=ema:d"], "error: --network ema:d: choose ema"),
        (
            ["run", "o.npz", "--network=discriminator:b"],
            "error: run holds no discriminator 'b'; known: d",
        ),
        (
            ["run", "o.pth", "--network=discriminator"],
            "error: o.pth: discriminators are written as .safetensors or .npz only",
        ),
        (["run", "o.x", "--network=discriminator"], "error: o.x: unknown suffix '.x' of weights"),
        (
            ["run", "o.npz", "--network=discriminator", "--scale=2"],
            "error: --scale is of networks that enlarge; drop it, or --network",
        ),
        (["d.npz", "o.npz"], "error: d.npz: holds a discriminator (patchgan), which enlarges"),
        (
            ["d.npz", "o.npz", "--network=discriminator:d"],
            "error: d.npz: a file holds one discriminator, without a name; drop 'd'",
        ),
        (["d.npz", "o.npz", "--network=raw"], "error: d.npz: a file has no average beside"),
    ],
)
def test_networks_that_a_gan_has_not(tmp_path, run_folder, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", "run", "d.npz", "--network", "discriminator"]) == 0
    capsys.readouterr()
    before = sorted(tmp_path.iterdir())
    assert run(main, ["convert", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(message) and error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.pth", "o.npz"], "error: none.pth: "),
        (["edsr.pth", "o.txt"], "error: o.txt: "),
        (["edsr.pth", "./edsr.pth"], "error: edsr.pth: would overwrite the input"),
        (["edsr.pth", "o.npz", "--scale=4"], "error: --scale 4, but edsr.pth holds edsr x2"),
        (["edsr.pth", "o.npz", "--model=espcn"], "error: --model espcn, but edsr.pth holds edsr"),
        (["edsr.pth", "o.pth", "--names=KAIR"], "error: --names: no layout 'KAIR' of edsr"),
        (
            ["edsr.pth", "o.npz", "--network=discriminator"],
            "error: edsr.pth: does not say which discriminator it holds",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path, weights, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run(main, ["convert", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(message) and error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
