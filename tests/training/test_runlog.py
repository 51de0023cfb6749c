"""metrics.jsonl, TensorBoard and provenance."""

import json
import os
import struct

import jax
import numpy as np
import pytest

from jaxsr.training.runlog import RunLog, versions, write_json


def read(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def events(workdir) -> list[bytes]:
    """The records of all TensorBoard files: length, its checksum, bytes, their checksum."""
    records = []
    for path in sorted((workdir / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            records.append(data[12 : 12 + length])
            data = data[16 + length :]
    return records


def test_lines_are_on_disk_at_once(tmp_path):
    log = RunLog(tmp_path, 0)
    log.scalars(1, {"train/loss": 0.5, "train/psnr": 30.0})
    assert read(tmp_path) == [{"step": 1, "train/loss": 0.5, "train/psnr": 30.0}]
    log.close()


def test_tensorboard_gets_the_same(tmp_path):
    log = RunLog(tmp_path, 0)
    log.scalars(1, {"train/loss": 0.5})
    log.picture(1, "validation", np.zeros((4, 6, 3), np.uint8))
    log.close()
    records = events(tmp_path)
    (scalar,) = [r for r in records if b"train/loss" in r]
    assert struct.pack("<f", 0.5) in scalar
    (picture,) = [r for r in records if b"validation" in r]
    assert b"\x89PNG" in picture


def test_going_on_drops_what_is_going_to_be_written_again(tmp_path):
    log = RunLog(tmp_path, 0)
    for step in range(1, 7):
        log.scalars(step, {"train/loss": 1.0 / step})
    log.scalars(6, {"validation/psnr": 20.0})
    log.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "train/lo')  # the process died here
    log = RunLog(tmp_path, 4)
    assert [line["step"] for line in read(tmp_path)] == [1, 2, 3, 4]
    log.scalars(5, {"train/loss": 0.2})
    log.close()
    assert [line["step"] for line in read(tmp_path)] == [1, 2, 3, 4, 5]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("damage", ["\n", "[1]\n", '"step"\n', '{"loss": 1}\n', "null\n"])
def test_lines_of_others_are_dropped(tmp_path, damage):
    (tmp_path / "metrics.jsonl").write_text(f'{damage}{{"step": 1}}\n')
    RunLog(tmp_path, 3).close()
    assert read(tmp_path) == [{"step": 1}]


def test_json_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    write_json(path, {"steps": 1})
    write_json(path, {"steps": 2})
    assert json.loads(path.read_text()) == {"steps": 2}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"steps": 3})
    assert json.loads(path.read_text()) == {"steps": 2}
    assert os.listdir(tmp_path) == ["config.json"]


def test_infinity_is_null(tmp_path):
    """The PSNR of equal images; `Infinity` is no JSON."""
    write_json(tmp_path / "x.json", {"sets": [{"psnr": float("inf"), "n": 1}]})
    assert "Infinity" not in (tmp_path / "x.json").read_text()
    assert json.loads((tmp_path / "x.json").read_text()) == {"sets": [{"psnr": None, "n": 1}]}


def test_versions():
    found = versions()
    assert found["jax"] == jax.__version__ and found["numpy"] == np.__version__
    assert found["devices"] == [str(device) for device in jax.devices()]
    assert json.loads(json.dumps(found)) == found
