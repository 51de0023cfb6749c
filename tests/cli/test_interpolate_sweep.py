"""`jaxsr interpolate --data`: against eval.py, and by computation of its own where images mix."""

import importlib.util
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr import evaluation
from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.image.io import Picture, read_image, write_image
from jaxsr.interop.weights import save_weights
from jaxsr.loading import load_model
from jaxsr.metrics.niqe import NiqeModel, save_niqe_model
from jaxsr.models import create_model
from jaxsr.training.checkpoint import Checkpoints

ROOT = Path(__file__).parents[2]


def evaluated(*arguments) -> None:
    spec = importlib.util.spec_from_file_location("eval_py", ROOT / "eval.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert run(module.main, [str(argument) for argument in arguments]) == 0


def call(*arguments) -> int:
    return run(main, ["interpolate", *map(str, arguments)])


def load(path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def network(tmp_path, fake_params):
    """`network(file, model, factor)`: a file of a network x2, its numbers times `factor`."""

    def make(file, model="edsr", factor=1.0, **args):
        args = args or {"blocks": 1, "features": 4}
        module = create_model(model, scale=2, **args)
        channels = 1 if module.colour == "y" else 3
        variables = fake_params(module, np.zeros((1, 4, 4, channels), np.float32))
        variables = jax.tree.map(lambda x: factor * jnp.asarray(x), variables)
        config = {"model": model, "scale": 2, "model_args": args}
        save_weights(tmp_path / file, module, variables, {"config": config})
        return tmp_path / file

    return make


@pytest.fixture
def data(tmp_path):
    noise = np.random.default_rng(5)
    for name in "pq":
        path = tmp_path / "set" / "HR" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, Picture(noise.integers(0, 256, (24, 30, 3), np.uint8)))
    return tmp_path / "set"


def test_weights(network, data, tmp_path, capsys, monkeypatch):
    """Alpha 0 and 1 have the numbers of eval.py, and the network is traced once for all."""
    a, b = network("a.npz"), network("b.npz", factor=0.7)
    common = (f"--data={data}", "--metrics=psnr,ssim,rmse")
    for file in (a, b):
        evaluated(f"--weights={file}", *common, f"--json={file.with_suffix('.json')}")
    capsys.readouterr()

    traced, enlarge = [], evaluation.enlarge
    monkeypatch.setattr(
        evaluation, "enlarge", lambda *given: (traced.append(1), enlarge(*given))[1]
    )
    out = tmp_path / "out"
    assert call(a, b, "--alpha=0,0.2,1", *common, "-o", out) == 0
    assert len(traced) == 1
    files = [out / f"alpha_{text}.json" for text in ("0.00", "0.20", "1.00")]
    assert sorted(out.iterdir()) == files
    first, middle, last = map(load, files)
    assert first == load(tmp_path / "a.json") | {"model": "edsr 0.00"}
    assert last == load(tmp_path / "b.json") | {"model": "edsr 1.00"}
    assert list(last) == list(load(tmp_path / "b.json"))
    ends = sorted(x["sets"]["set"]["rmse"] for x in (first, last))
    assert ends[0] != ends[1] and middle["sets"]["set"]["rmse"] not in ends

    title, conditions, head, *rows = capsys.readouterr().out.splitlines()
    assert title == f"edsr x2, {a} to {b}, weights mixed"
    assert conditions == "protocol rgb, degradation bicubic"
    assert head.split() == ["alpha", "set", "PSNR-Y", "SSIM-Y", "RMSE", "images"]
    assert len({len(line) for line in (head, *rows[:3])}) == 1
    rmse = f"{middle['sets']['set']['rmse']:.3f}"
    assert rows[1].split()[:2] == ["0.20", "set"] and rows[1].split()[-2:] == [rmse, "2"]
    assert rows[3].startswith("psnr: agrees with")


def to_luma(rgb):
    return rgb @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def test_images(network, data, tmp_path):
    """PSNR in NumPy of what eval.py saves, mixed; alpha 1 has eval.py's numbers."""
    a, b = network("a.npz"), network("b.npz", factor=0.7)
    for file in (a, b):
        more = (f"--save={file.with_suffix('')}", f"--json={file.with_suffix('.json')}")
        evaluated(f"--weights={file}", f"--data={data}", *more)
    out = tmp_path / "out"
    assert call(a, b, "--alpha=0.75,1", "--images", f"--data={data}", "-o", out) == 0
    want = load(tmp_path / "b.json")["sets"]["set"]["images"]
    last = load(out / "alpha_1.00.json")
    assert last["model"] == "edsr images 1.00"
    for name, values in last["sets"]["set"]["images"].items():
        for measure, value in values.items():
            assert value == pytest.approx(want[name][measure], abs=1e-5)
    for name, values in load(out / "alpha_0.75.json")["sets"]["set"]["images"].items():
        x, y = (read_image(tmp_path / end / "set" / name).pixels.astype(float) for end in "ab")
        sr = np.floor(0.25 * x + 0.75 * y + 0.5)
        error = to_luma(sr) - to_luma(read_image(data / "HR" / name).pixels.astype(float))
        psnr = 10 * np.log10(255**2 / np.mean(error[2:-2, 2:-2] ** 2))
        assert values["psnr"] == pytest.approx(psnr, abs=1e-3)


def test_where_only_the_tail_differs_both_ways_nearly_agree(network, data, tmp_path):
    """The output is linear in the last layer: only rounding to 8 bits and the clipping differ."""
    a = network("a.npz", "srresnet", blocks=1, features=4)
    module, variables, spec = load_model(a)
    tail = jax.tree.map(lambda x: 0.6 * x, variables["params"]["tail"])
    tail["bias"] += 0.5  # lighter, by a quarter of the range
    params = variables["params"] | {"tail": tail}
    save_weights(tmp_path / "b.npz", module, variables | {"params": params}, spec)
    rmse = {}
    for name, more in (("w", ()), ("i", ("--images",))):
        options = (f"--data={data}", "--metrics=rmse", "-o", tmp_path / name, *more)
        assert call(a, tmp_path / "b.npz", "--alpha=0,0.5", *options) == 0
        files = sorted((tmp_path / name).iterdir())
        rmse[name] = [load(file)["sets"]["set"]["rmse"] for file in files]
    assert rmse["w"][0] == rmse["i"][0] < rmse["w"][1] - 1
    assert rmse["w"][1] == pytest.approx(rmse["i"][1], abs=0.2)


def test_luma(network, data, tmp_path):
    """A luma network under y-uint8, weights and images alike at the end."""
    a, b = network("a.npz", "espcn", channels=1), network("b.npz", "espcn", 0.7, channels=1)
    evaluated(f"--weights={b}", f"--data={data}", f"--json={tmp_path / 'b.json'}")
    want = load(tmp_path / "b.json")
    assert want["protocol"] == "y-uint8"
    for more in ((), ("--images",)):
        assert call(a, b, "--alpha=1", f"--data={data}", "-o", tmp_path / "o", *more) == 0
        found = load(tmp_path / "o" / "alpha_1.00.json")
        for key in ("protocol", "degradation", "scale"):
            assert found[key] == want[key]
        for measure in ("psnr", "ssim"):
            value = want["sets"]["set"][measure]
            assert found["sets"]["set"][measure] == pytest.approx(value, abs=1e-5)


def test_a_curve_on_the_plane(network, tmp_path, capsys):
    path = tmp_path / "set" / "p.png"
    path.parent.mkdir()
    noise = np.random.default_rng(5)
    write_image(path, Picture(noise.integers(0, 256, (100, 200, 3), np.uint8)))
    pristine = tmp_path / "own.npz"
    save_niqe_model(pristine, NiqeModel(np.zeros(36), np.eye(36), "made up"))
    a, b, out = network("a.npz"), network("b.npz", factor=0.7), tmp_path / "o"
    options = ("--metrics=rmse,niqe", f"--niqe-model={pristine}", f"--data={path.parent}")
    assert call(a, b, "--alpha=0,0.125,1", *options, "-o", out) == 0
    assert capsys.readouterr().out.endswith("niqe: by the model made up\n")
    files = sorted(map(str, out.glob("alpha_*.json")))
    assert [Path(file).stem[6:] for file in files] == ["0.00", "0.125", "1.00"]
    page = tmp_path / "plane.html"
    assert run(main, ["plane", "--curve", *files, "-o", str(page)]) == 0
    for text in ("0.00", "0.125", "1.00"):
        assert f"<td>edsr {text}</td>" in page.read_text("utf-8")


def test_refusals(network, data, tmp_path, capsys):
    a, b = network("a.npz"), network("b.npz", factor=0.7)
    (tmp_path / "taken").write_text("")

    def fails(*more, out=tmp_path / "o"):
        assert call(a, b, "--alpha=0,1", f"--data={data}", *more, "-o", out) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        assert not (tmp_path / "o").exists()
        return printed.err

    assert "unknown measure 'psrn'; did you mean 'psnr'?" in fails("--metrics=psrn")
    assert "niqe is not among the --metrics" in fails("--niqe-model=x")
    assert "30x24 pixels are too few for MS-SSIM at x2" in fails("--metrics=ms_ssim")
    assert "protocol y-uint8 feeds luma" in fails("--protocol=y-uint8")
    assert "missing" in fails(f"--data={tmp_path / 'missing'}")
    assert "taken: cannot make this folder" in fails(out=tmp_path / "taken")
    assert "--scale 4, but" in fails("--scale=4")


def test_runs_that_were_scored_under_different_conditions(data, tmp_path, capsys, fake_params):
    module = create_model("edsr", scale=2, blocks=1, features=4)
    variables = fake_params(module, np.zeros((1, 4, 4, 3), np.float32))
    config = {"model": "edsr", "scale": 2, "model_args": {"blocks": 1, "features": 4}}
    for name, how in (("a", "bicubic"), ("b", "realesrgan")):
        with Checkpoints(tmp_path / name / "checkpoints") as checkpoints:
            spec = {"config": config | {"degradation": how}}
            checkpoints.save(1, jax.tree.map(jnp.asarray, variables), spec=spec)
    a, b, out = (tmp_path / name for name in "abo")
    what = (a, b, "--alpha=1", f"--data={data}", "-o", out)
    assert call(*what) == 2
    assert capsys.readouterr().err == (
        f"error: {a} and {b} differ in their degradation; give --degradation\n"
    )
    assert call(*what, "--degradation=bicubic") == 0
    assert load(out / "alpha_1.00.json")["degradation"] == "bicubic"
