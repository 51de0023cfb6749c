"""`jaxsr interpolate`: files of weights and pictures, and what does not mix."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.image.io import Picture, read_image, write_image
from jaxsr.interop.files import read_state
from jaxsr.interop.weights import save_weights
from jaxsr.loading import load_model
from jaxsr.models import create_model
from jaxsr.training.checkpoint import Checkpoints

TINY = {"blocks": 1, "features": 4}


def call(*arguments) -> int:
    return run(main, ["interpolate", *map(str, arguments)])


@pytest.fixture
def network(tmp_path, fake_params):
    """`network(file, model, factor)`: a tiny network x2 whose numbers are `factor` times as large.

    As a file of weights, or as a run folder where the name has no suffix.
    """

    def make(file: str, model: str, factor: float = 1.0, scale: int = 2, **args) -> Path:
        args = TINY | args
        module = create_model(model, scale=scale, **args)
        variables = fake_params(module, np.zeros((1, 4, 4, 3), np.float32))
        variables = jax.tree.map(lambda x: factor * jnp.asarray(x), variables)
        config = {"model": model, "scale": scale, "model_args": args}
        if Path(file).suffix:
            save_weights(tmp_path / file, module, variables, {"config": config})
        else:
            with Checkpoints(tmp_path / file / "checkpoints") as checkpoints:
                checkpoints.save(1, variables, spec={"config": config | {"protocol": "rgb"}})
        return tmp_path / file

    return make


def arrays(path) -> dict[str, np.ndarray]:
    variables = load_model(path)[1]
    return {jax.tree_util.keystr(p): np.asarray(x) for p, x in jax.tree.leaves_with_path(variables)}


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "pth"])
def test_weights(network, tmp_path, capsys, suffix):
    """A run and a file, srresnet and srgan: one network; the mean of 1 and 3 times it is twice."""
    a, b = network("run", "srresnet"), network("gan_x2.pth", "srgan", 3)
    out = tmp_path / f"mixed_x2.{suffix}"
    assert call(a, b, "--alpha", "0.5", "-o", out) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith(f" x2, alpha 0.5 of {a} to {b}")
    assert printed[1].startswith(f"-> {out} (")
    mixed, single = arrays(out), arrays(a)
    assert mixed.keys() == single.keys() and any("batch_stats" in key for key in mixed)
    for key, value in single.items():
        np.testing.assert_array_equal(mixed[key], 2 * value)


def test_ends_are_the_inputs(network, tmp_path):
    a, b = network("a.npz", "edsr"), network("b.npz", "edsr", 0.3)
    for alpha, end in (("0", a), ("1", b)):
        assert call(a, b, "--alpha", alpha, "-o", tmp_path / "c.npz") == 0
        for key, value in arrays(end).items():
            np.testing.assert_array_equal(arrays(tmp_path / "c.npz")[key], value)


def test_names_of_a_toolbox(network, tmp_path):
    a, b = network("a.npz", "edsr"), network("b.npz", "edsr", 3)
    assert call(a, b, "--alpha=0.8", "-o", tmp_path / "c.pth", "--names=EDSR-PyTorch") == 0
    assert "body.0.body.0.weight" in read_state(tmp_path / "c.pth")[0]


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """The line on stderr of a call with status 2 that has printed and written nothing else."""
    monkeypatch.chdir(tmp_path)

    def call_refused(*arguments) -> str:
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        assert call(*arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1
        assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        return printed.err

    return call_refused


def test_networks_that_do_not_mix(network, refused):
    network("a.npz", "srresnet")
    for file, model, args, words in (
        ("b.npz", "srresnet", {"blocks": 2}, "with blocks 1, b.npz srresnet x2 with blocks 2;"),
        ("c.npz", "srresnet", {"scale": 4}, "a.npz holds srresnet x2, c.npz srresnet x4;"),
        ("d.npz", "edsr", {}, "a.npz holds srresnet x2, d.npz edsr x2; only two of one"),
    ):
        network(file, model, **args)
        assert words in refused("a.npz", file, "--alpha=0.5", "-o", "out.npz")


def test_arguments(network, refused):
    network("a.npz", "edsr")
    network("b.npz", "edsr", 3)
    save("p.png", np.zeros((4, 4, 3), np.uint8))

    def fails(alpha, *more, a="a.npz", b="b.npz", out="out.npz"):
        return refused(a, b, f"--alpha={alpha}", "-o", out, *more)

    for alpha in ("-0.1", "1.5", "nan"):
        assert f"alpha {alpha}: give one from 0, which is A, to 1" in fails(alpha)
    assert "--alpha: 'x' is no number" in fails("0.1,x")
    assert "--alpha: 0.5 is named twice" in fails("0.5,0.50", "--data=x")
    assert "--alpha 0,1: several are scored, with --data" in fails("0,1")
    for out in ("a.npz", "./b.npz"):
        assert f"{out}: would overwrite an input" in fails("0.5", out=out)
    assert "unknown suffix '.txt'" in fails("0.5", out="out.txt")
    assert "none.npz: no such file or folder" in fails("0.5", b="none.npz")
    assert "a.npz is a network, p.png a picture; give two of a kind" in fails("0.5", b="p.png")
    assert "--images is of scoring; give --data" in fails("0.5", "--images")
    assert "--niqe-model is of scoring" in fails("0.5", "--niqe-model=x")
    assert "--names is of weights" in fails("0.5", "--names=KAIR", "--data=x")
    pictures = {"a": "p.png", "b": "p.png", "out": "q.png"}
    assert "--names is of networks, and A and B are pictures" in fails(1, "--names=x", **pictures)
    assert "--data is of networks" in fails("0,1", "--data=x", **pictures)


# Pictures.


def save(path, pixels, alpha=None, icc=None):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_image(path, Picture(pixels, alpha, icc))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures(tmp_path, capsys, dtype):
    """Depth, transparency and profile are kept."""
    noise, top = np.random.default_rng(0), np.iinfo(dtype).max
    a, b = noise.integers(0, top, (2, 5, 7, 4), dtype, endpoint=True)
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    save(paths[0], a[..., :3], a[..., 3:])
    save(paths[1], b[..., :3], b[..., 3:])
    assert call(*paths[:2], "--alpha=0.8", "-o", paths[2]) == 0
    assert capsys.readouterr().out == f"{paths[0]}, {paths[1]} -> {paths[2]} 7x5\n"
    got = read_image(paths[2])
    assert got.pixels.dtype == dtype and got.alpha is not None
    want = (2 * a.astype(np.int64) + 8 * b.astype(np.int64) + 5) // 10  # never halfway
    found = np.concatenate([got.pixels, got.alpha], axis=-1)
    np.testing.assert_array_equal(found, want)


def test_folders_of_pictures(tmp_path, capsys):
    a, b, out = (tmp_path / name for name in ("a", "b", "out"))
    for i in (1, 2):
        save(a / f"{i}.png", np.full((3, 4, 1), 10 * i, np.uint8))
        save(b / f"{i}.png", np.full((3, 4, 1), 20 * i, np.uint8))
    assert call(a, b, "--alpha=0.5", "-o", out) == 0
    assert [read_image(out / f"{i}.png").pixels[0, 0, 0] for i in (1, 2)] == [15, 30]
    # One that fails is told and the others go on.
    save(b / "1.png", np.zeros((3, 5, 1), np.uint8))
    capsys.readouterr()
    assert call(a, b, "--alpha=0", "-o", out) == 1
    printed = capsys.readouterr()
    assert printed.err == (
        f"error: {a / '1.png'} is 4x3 gray of 8 bits, {b / '1.png'} 5x3 gray of 8 bits; only "
        "pictures of one size and kind can be mixed\n"
    )
    assert read_image(out / "2.png").pixels[0, 0, 0] == 20


def test_pictures_that_do_not_mix(refused):
    plain = np.zeros((4, 6, 3), np.uint8)
    save("a.png", plain, icc=b"one")
    save("b.png", plain, icc=b"two")
    save("deep.png", plain.astype(np.uint16))
    save("clear.png", plain, plain[..., :1])

    def fails(b, out="out.png", a="a.png"):
        return refused(a, b, "--alpha=0.5", "-o", out)

    assert "a.png and b.png have different ICC profiles" in fails("b.png")
    assert "a.png is 6x4 RGB of 8 bits, deep.png 6x4 RGB of 16 bits; only" in fails("deep.png")
    assert "clear.png 6x4 RGB of 8 bits with transparency; only" in fails("clear.png")
    assert "out.jpg: .jpg cannot hold transparency" in fails("clear.png", "out.jpg", "clear.png")
    for out in ("a.png", "deep.png"):
        assert f"{out}: would overwrite an input" in fails("deep.png", out)


def test_folders_that_do_not_match(refused):
    pixels = np.zeros((4, 4, 3), np.uint8)
    for file in ("a/1.png", "a/2.png", "b/1.png", "c/1.png", "c/2.png", "c/3.png"):
        save(file, pixels)
    assert "b: has no 2.png, as the other folder has" in refused("a", "b", "--alpha=1", "-o", "o")
    assert "a: has no 3.png, as the other folder has" in refused("a", "c", "--alpha=1", "-o", "o")
    save("d/1.png", pixels)
    for out in ("b", "d"):
        assert f"{out}/1.png: would overwrite" in refused("b", "d", "--alpha=1", "-o", out)
