"""train.py and what may happen to its images while it reads them and trains on them."""

import importlib.util
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.run import run
from jaxsr.data import build_cache, open_source
from jaxsr.image import io
from jaxsr.training import loop

ROOT = Path(__file__).parents[2]
SETTINGS = [
    f"--config={ROOT / 'configs/espcn_x3.py'}:tiny",
    "--config.data.residency=mmap",
    "--config.data.validation=",
    "--config.optimizer.warmup=0",
    "--config.steps=2",
    "--config.log_every=1",
    "--config.ema=0",
]


def main(arguments):
    spec = importlib.util.spec_from_file_location("train_py", ROOT / "train.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(arguments)


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """A folder of 20 images, with the cache inside it."""
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(20):
        pixels = rng.integers(0, 256, (60, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


def arguments(photos, workdir):
    return [*SETTINGS, f"--config.data.train={photos}", f"--workdir={workdir}"]


def refused(photos, capsys):
    """The line on stderr; there is neither a run folder nor a cache."""
    workdir = photos.parent / "run"
    assert run(main, arguments(photos, workdir)) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert not workdir.exists() and not (photos / ".jaxsr-cache").exists()
    return printed.err


def test_an_image_deleted_while_others_are_decoded(photos, capsys, monkeypatch):
    read_image = io.read_image

    def read_and_delete(path):
        (photos / "19.png").unlink(missing_ok=True)
        return read_image(path)

    monkeypatch.setattr(io, "read_image", read_and_delete)
    assert refused(photos, capsys) == (
        "error: 1 of 20 images cannot be read: 19.png (no such file); replace or remove them\n"
    )


def test_a_disk_that_is_full(photos, capsys):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        line = refused(photos, capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert line == (
        f"error: {photos / '.jaxsr-cache'}: cannot write the cache of decoded images "
        "(File too large); free some space or set JAXSR_CACHE to another folder\n"
    )


# Runs train.py up to the first step and prints how many images were decoded, and their checksum.
UP_TO_TRAINING = """
import runpy, sys, zlib
from jaxsr.image import io
from jaxsr.training import loop

read_image, reads = io.read_image, []

def counted(path):
    reads.append(path)
    return read_image(path)

def stop(config, workdir, inputs, *args):
    hr = inputs.plan.hr
    print(len(reads), zlib.crc32(b"".join(hr[i].tobytes() for i in range(len(hr)))))
    return loop.Outcome(0, None, None)

io.read_image, loop._run = counted, stop
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_two_trainers_at_once_decode_once(photos, tmp_path):
    pytest.importorskip("fcntl", reason="processes wait for each other only where there is flock")
    trainers = [
        subprocess.Popen(
            [sys.executable, "-c", UP_TO_TRAINING, "train.py", *arguments(photos, tmp_path / name)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    decoded, checksums = [], []
    for trainer in trainers:
        out, err = trainer.communicate()
        assert (trainer.returncode, err) == (0, ""), err
        lines = out.splitlines()
        if lines[0].startswith("waiting for another process"):  # they may have missed each other
            lines = lines[1:]
        count, checksum = map(int, lines[0].split())
        decoded.append(count)
        checksums.append(checksum)
    pixels = [np.asarray(Image.open(path)).tobytes() for path in sorted(photos.glob("*.png"))]
    assert checksums == [zlib.crc32(b"".join(pixels))] * 2
    assert sorted(decoded) == [0, 20]
    assert len(list((photos / ".jaxsr-cache").iterdir())) == 1


def test_a_damaged_cache_and_then_no_dataset_at_all(photos, tmp_path, monkeypatch, capsys):
    build_cache(open_source(photos), residency="mmap", folder=photos / ".jaxsr-cache")
    (file,) = (photos / ".jaxsr-cache").iterdir()
    whole = bytearray(file.read_bytes())
    whole[5000] ^= 1
    file.write_bytes(whole)
    whole[5000] ^= 1
    run_inside = loop._run

    def run_without_dataset(*args):
        assert file.read_bytes() == whole
        shutil.rmtree(photos)
        return run_inside(*args)

    monkeypatch.setattr(loop, "_run", run_without_dataset)
    assert run(main, arguments(photos, tmp_path / "run")) == 0
    printed = capsys.readouterr()
    assert printed.err == "" and not photos.exists()
    assert printed.out.splitlines()[0] == (
        f"{file}: the pixels of 00.png are damaged in this cache file; decoding the images again"
    )
    entries = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(entry)["step"] for entry in entries] == [1, 2]
