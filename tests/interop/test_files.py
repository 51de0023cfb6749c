"""Files of weights of every format: public ones, damaged ones, and there and back."""

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import scipy.io

from jaxsr.errors import InputError
from jaxsr.interop.files import read_state, write_state
from tests.interop.torch_writer import tensor, zipped

STATE = {
    "conv.weight": np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3),
    "conv.bias": np.float16([1, -2]),
    "count": np.array(7, np.int64),
}
SCIPY_DTYPES = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
SUFFIXES = [".safetensors", ".npz", ".pth", ".pt"]


def refuse(path: Path, data: bytes, match: str) -> None:
    path.write_bytes(data)
    with pytest.raises(InputError, match=match) as caught:
        read_state(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


# Parameters as the papers or the authors count them; CARN's two mean shifts are none.
@pytest.mark.parametrize(
    ("name", "first", "shape", "numbers"),
    [
        ("vdsr_twtygqyy.pth", "residual_layer.0.conv.weight", (64, 64, 3, 3), 664_704),
        ("carn_m.pth", "sub_mean.shifter.weight", (3, 3, 1, 1), 414_787 + 24),
        ("imdn_x4.pth", "fea_conv.weight", (64, 3, 3, 3), 715_176),
        ("pan_x4.pth", "conv_first.weight", (40, 3, 3, 3), 272_419),
        ("rlfn_x4.pth", "conv_1.weight", (52, 3, 3, 3), 543_740),
        ("dists_weights.pt", "alpha", (1, 1475, 1, 1), 2 * 1475),
        ("realesrgan_x4plus_fp16.safetensors", "conv_first.weight", (64, 3, 3, 3), 16_697_987),
        ("drrn_b1u25.safetensors", "learned_0", (128, 1, 3, 3), 297_216),
        ("srcnn_955_x3.mat", "weights_conv1", (81, 64), 57_281),
        ("srcnn_915_x3.mat", "weights_conv2", (64, 1, 32), 8_129),
    ],
)
def test_public_weights(reference, name: str, first: str, shape: tuple[int, ...], numbers: int):
    state, _ = read_state(reference / "weights" / name)
    assert state[first].shape == shape
    assert sum(value.size for value in state.values()) == numbers
    assert all(np.isfinite(value.astype(np.float32)).all() for value in state.values())


def test_public_cells(reference):
    state, _ = read_state(reference / "weights" / "fsrcnn_x3.mat")
    assert list(state) == ["weights_conv", "biases_conv", "prelu_conv"]
    cells = state["weights_conv"]
    assert cells.shape == (8, 1)
    # FSRCNN(56, 12, 4): the paper counts 12,464 weights.
    assert sum(cell.size for cell in cells.flat) == 12_464
    assert sum(cell.size for cell in state["biases_conv"].flat) == 56 + 12 + 4 * 12 + 56 + 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_there_and_back(tmp_path, suffix: str):
    path = tmp_path / f"net{suffix}"
    metadata = {"jaxsr": json.dumps({"é": [1]})}
    write_state(path, {**STATE, "view": STATE["conv.weight"].T}, metadata)
    state, back = read_state(path)
    assert set(state) == {*STATE, "view"}
    assert back == ({} if suffix in (".pth", ".pt") else metadata)
    for name, value in STATE.items():
        assert state[name].dtype == value.dtype
        np.testing.assert_array_equal(state[name], value)
    np.testing.assert_array_equal(state["view"], STATE["conv.weight"].T)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_others_read_what_is_written(tmp_path):
    for suffix in (".npz", ".safetensors"):
        write_state(tmp_path / f"net{suffix}", STATE, {})
    for back in (
        np.load(tmp_path / "net.npz", allow_pickle=False),
        safetensors.numpy.load_file(tmp_path / "net.safetensors"),
    ):
        assert set(back) == set(STATE)
        for name, value in STATE.items():
            np.testing.assert_array_equal(back[name], value)
            assert back[name].dtype == value.dtype


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bfloat16_keeps_its_values(tmp_path, suffix: str):
    values = np.array([1.0, -0.1], ml_dtypes.bfloat16)
    write_state(tmp_path / f"net{suffix}", {"a": values}, {})
    state, _ = read_state(tmp_path / f"net{suffix}")
    np.testing.assert_array_equal(state["a"].astype(np.float32), values.astype(np.float32))


def test_what_others_write(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.asfortranarray(STATE["conv.weight"]), y=[1.5])
    state, _ = read_state(tmp_path / "a.npz")
    np.testing.assert_array_equal(state["x"], STATE["conv.weight"])


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_files_as_scipy_reads_them(tmp_path, compressed: bool):
    cell = np.empty((2, 3), object)
    for number in range(6):
        cell.flat[number] = np.full((number, 2), number, "f4")
    variables = {f"x_{kind}": np.arange(6).reshape(2, 3).astype(kind) for kind in SCIPY_DTYPES}
    variables |= {"cell": cell, "big": STATE["conv.weight"], "note": "text", "one": 1.5}
    path = tmp_path / "net.mat"
    scipy.io.savemat(path, variables, do_compression=compressed)
    same_as_scipy(path, set(variables) - {"note"})


def test_public_matlab_files_as_scipy_reads_them(reference):
    paths = sorted((reference / "weights").glob("**/*.mat"))
    assert paths
    for path in paths:
        same_as_scipy(path, {name for name, _, _ in scipy.io.whosmat(path)})


def same_as_scipy(path: Path, names: set[str]) -> None:
    state, _ = read_state(path)
    assert set(state) == names
    wanted = scipy.io.loadmat(path)
    for name, value in state.items():
        assert value.shape == wanted[name].shape and value.dtype == wanted[name].dtype
        if value.dtype == object:
            for mine, other in zip(value.flat, wanted[name].flat, strict=True):
                np.testing.assert_array_equal(mine, other)
        else:
            np.testing.assert_array_equal(value, wanted[name])


def test_the_name_of_a_file_does_not_matter(tmp_path):
    write_state(tmp_path / "net.npz", STATE, {})
    for name in ("net.pth", "net", "net.safetensors"):
        (tmp_path / "net.npz").rename(tmp_path / name)
        assert set(read_state(tmp_path / name)[0]) == set(STATE)
        (tmp_path / name).rename(tmp_path / "net.npz")


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"unknown suffix '\.h5'"):
        write_state(tmp_path / "net.h5", STATE, {})
    with pytest.raises(InputError, match="cannot be written"):
        write_state(tmp_path / "none" / "net.npz", STATE, {})
    (tmp_path / "net.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_state(tmp_path / "net.npz", STATE, {})
    assert [each.name for each in tmp_path.iterdir()] == ["net.npz"]


@pytest.mark.parametrize("length", [0x280, 0x4B50], ids=["a pickle", "a zip file"])
def test_headers_whose_length_looks_like_another_format(tmp_path, length: int):
    entry = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}'
    (tmp_path / "net.safetensors").write_bytes(safetensors_file(entry.ljust(length - 1) + b"}"))
    assert list(read_state(tmp_path / "net.safetensors")[0]) == ["a"]


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "a\x7f", "a" * 301], ids=repr)
def test_names_that_would_upset_a_terminal(tmp_path, name: str):
    for suffix in (".npz", ".safetensors"):
        write_state(tmp_path / f"net{suffix}", {name: np.zeros(3)}, {})
        with pytest.raises(InputError, match="odd name") as caught:
            read_state(tmp_path / f"net{suffix}")
        message = str(caught.value)
        assert message.isprintable() and len(message) < len(str(tmp_path)) + 200


def test_what_is_not_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "net.pth")
    for path in (tmp_path / "net.pth", Path("/dev/zero")):
        with pytest.raises(InputError, match="not a regular file"):
            read_state(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_state(tmp_path / "net.pth")
    with pytest.raises(InputError, match="directory"):
        read_state(tmp_path)


def safetensors_file(header: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + bytes(4)


MISTAKEN = {
    "empty": (b"", "is empty"),
    "page": (b"\n<!DOCTYPE html><html>", "web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "matlab 7.3": (b"MATLAB 7.3 MAT-file, Platform".ljust(512), "save -v7"),
    "picture": (b"\x89PNG\r\n\x1a\n", "not a file of weights"),
    "text": (b"hello", "not a file of weights"),
    "4 GB header": (struct.pack("<Q", 2**32) + b'{"a":1}', "damaged"),
    "two of one name": (
        safetensors_file(
            b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
            b'"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
        ),
        "two entries",
    ),
    "no tensors": (zipped({"epoch": 3}, {}), "no tensors"),
    "an optimiser": (
        zipped({"optimizer": {"a": tensor("0", 1, (1,), (1,))}}, {"0": bytes(4)}),
        "no tensors",
    ),
    "lone magic": (b"PK\x03\x04", "damaged"),
}


@pytest.mark.parametrize("kind", MISTAKEN)
def test_what_is_no_file_of_weights(tmp_path, kind: str):
    refuse(tmp_path / "net.pth", *MISTAKEN[kind])


def npy(header: bytes, data: bytes = bytes(8)) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data
        )
    return file.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -2)}\n",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n",
        b"{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,)}\n",
        b"{'descr': '<U2', 'fortran_order': False, 'shape': (1,)}\n",
        b"{'descr': 'what', 'fortran_order': False, 'shape': (2,)}\n",
        b"{'descr': '<f4', 'fortran_order': False}\n",
        b"__import__('os').system('true')\n",
        b"((((",
        b"'",
        b"",
    ],
)
def test_arrays_that_lie(tmp_path, header: bytes):
    refuse(tmp_path / "net.npz", npy(header), "damaged")


def test_zip_bomb(tmp_path):
    np.savez_compressed(tmp_path / "net.npz", a=np.zeros(10**7, np.float32))
    refuse(tmp_path / "net.npz", (tmp_path / "net.npz").read_bytes(), "claims")


def test_matlab_files_that_lie(tmp_path):
    file = io.BytesIO()
    scipy.io.savemat(file, {"net": {"weights": np.ones(3)}})
    refuse(tmp_path / "net.mat", file.getvalue(), "holds MATLAB structs or objects")
    cell = np.array(["text", np.ones(3)], dtype=object)
    file = io.BytesIO()
    scipy.io.savemat(file, {"a": cell})
    refuse(tmp_path / "net.mat", file.getvalue(), "cells of text")
    file = io.BytesIO()
    scipy.io.savemat(file, {"a": np.zeros(10**7)}, do_compression=True)
    refuse(tmp_path / "net.mat", file.getvalue(), "claims")
    # A matrix of 2**30 numbers of which eight bytes are there.
    flags = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<IIII", 5, 8, 2**15, 2**15)
    matrix = flags + struct.pack("<II", 1, 1) + b"a".ljust(8, b"\0") + struct.pack("<II", 9, 2**31)
    head = file.getvalue()[:128]
    element = struct.pack("<II", 14, len(matrix)) + matrix
    refuse(tmp_path / "net.mat", head + element, "damaged")
    packed = zlib.compress(element)
    refuse(tmp_path / "net.mat", head + struct.pack("<II", 15, len(packed)) + packed, "damaged")


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".mat"])
def test_cut_off_or_damaged_anywhere(tmp_path, suffix: str):
    path = tmp_path / f"net{suffix}"
    if suffix == ".mat":
        scipy.io.savemat(path, {"a": np.ones((3, 4)), "b": [1.0]}, do_compression=True)
    else:
        write_state(path, STATE, {"a": "b"})
    whole = path.read_bytes()
    noise = np.random.default_rng(0)
    for at in range(0, len(whole), 5):
        for data in (whole[:at], whole[:at] + noise.bytes(1) + whole[at + 1 :]):
            path.write_bytes(data)
            try:
                state, _ = read_state(path)
            except InputError as error:
                assert "\n" not in str(error)
            else:  # a byte of a value or of a title, or a cut between variables of a .mat
                assert len(data) == len(whole) or suffix == ".mat"
                assert all(isinstance(value, np.ndarray) for value in state.values())
