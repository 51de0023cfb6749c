"""PyTorch's two formats, made by hand: read right, or refused in one line."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.files import read_state
from jaxsr.interop.torch_files import write_torch
from tests.interop.torch_writer import (
    DTYPES,
    Call,
    Name,
    Persistent,
    legacy,
    pickled,
    same,
    tensor,
    zipped,
)

NUMBERS = np.arange(24, dtype=np.float32)


def read(folder: Path, data: bytes) -> dict[str, np.ndarray]:
    path = folder / "net.pth"
    path.write_bytes(data)
    return read_state(path)[0]


def views(**options) -> dict[str, Call]:
    """Tensors on one storage of 24 numbers."""
    return {
        "all": tensor("0", 24, (2, 3, 4), (12, 4, 1), **options),
        "transposed": tensor("0", 24, (4, 6), (1, 4), **options),
        "last": tensor("0", 24, (2, 2), (4, 1), 18, **options),
        "repeated": tensor("0", 24, (3, 2), (0, 1), **options),
        "number": tensor("0", 24, (), (), 5, **options),
        "none": tensor("0", 24, (0, 7), (7, 1), **options),
    }


WANTED = {
    "all": NUMBERS.reshape(2, 3, 4),
    "transposed": NUMBERS.reshape(6, 4).T,
    "last": NUMBERS.reshape(6, 4)[4:, 2:],
    "repeated": np.tile(NUMBERS[:2], (3, 1)),
    "number": NUMBERS[5],
    "none": np.zeros((0, 7), np.float32),
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("order", ["little", "big"])
def test_zip(tmp_path, method: int, order: str):
    data = NUMBERS.astype(">f4" if order == "big" else "<f4").tobytes()
    same(read(tmp_path, zipped(views(), {"0": data}, order=order.encode(), method=method)), WANTED)


def test_legacy(tmp_path):
    data = legacy(views(legacy=True), {"0": (24, NUMBERS.tobytes())})
    same(read(tmp_path, data), WANTED)


def test_legacy_view_of_a_storage(tmp_path):
    pid = ("storage", Name("torch", "FloatStorage"), "7", "cpu", 24, ("8", 10, 6))
    view = Call(Name("torch._utils", "_rebuild_tensor"), (Persistent(pid), 2, (4,), (1,)))
    state = read(tmp_path, legacy({"a": view}, {"7": (24, NUMBERS.tobytes())}))
    same(state, {"a": NUMBERS[12:16]})


@pytest.mark.parametrize("kind", DTYPES)
def test_dtypes(tmp_path, kind: str):
    values = np.array([0, 1, 1, 0, 1]).astype(DTYPES[kind])
    tree = {"a": tensor("k", 5, (5,), (1,), kind=kind)}
    same(read(tmp_path, zipped(tree, {"k": values.tobytes()})), {"a": values})
    same(read(tmp_path, legacy(tree, {"k": (5, values.tobytes())})), {"a": values})


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((25,), (1,), 0),
        ((24,), (1,), 1),
        ((2, 2), (23, 1), 0),
        ((10**6, 10**6), (0, 0), 0),
        ((2**61, 8), (0, 0), 0),
        ((-1,), (1,), 0),
        ((2,), (-1,), 5),
        ((2,), (1,), -1),
        ((2,), (1, 1), 0),
        ((1,) * 70, (1,) * 70, 0),
        ((1.5,), (1,), 0),
        ((True,), (1,), 0),
    ],
)
def test_tensors_beyond_their_storage_are_refused(tmp_path, shape, strides, offset):
    tree = {"a": tensor("0", 24, shape, strides, offset)}
    with pytest.raises(InputError, match=r"net\.pth: is damaged .*get the file again$"):
        read(tmp_path, zipped(tree, {"0": NUMBERS.tobytes()}))


def test_storages_that_lie(tmp_path):
    tree = {"a": tensor("0", 2**40, (1,), (1,))}
    with pytest.raises(InputError, match="claims"):
        read(tmp_path, zipped(tree, {"0": NUMBERS.tobytes()}))
    with pytest.raises(InputError, match="no member"):
        read(tmp_path, zipped(tree, {"1": NUMBERS.tobytes()}))
    with pytest.raises(InputError, match="cut off"):
        read(tmp_path, legacy(tree, {"0": (2**30, NUMBERS.tobytes())}))
    with pytest.raises(InputError, match="cut off"):
        read(tmp_path, legacy(tree, {"0": (-1, NUMBERS.tobytes())}))
    with pytest.raises(InputError, match="storages makes no sense"):
        read(tmp_path, legacy(tree, {"1": (24, NUMBERS.tobytes())}))
    for kind in ("ComplexFloatStorage", "os.system", "float8"):
        tree = {"a": tensor("0", 2, (1,), (1,), kind=kind)}
        with pytest.raises(InputError, match=f"holds a 'torch.{kind}'"):
            read(tmp_path, zipped(tree, {"0": NUMBERS.tobytes()}))


def test_zip_bombs_are_refused(tmp_path):
    tree = {"a": tensor("0", 10**7, (10**7,), (1,))}
    bomb = zipped(tree, {"0": bytes(4 * 10**7)}, method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 10**5
    with pytest.raises(InputError, match="claims 40000000 bytes"):
        read(tmp_path, bomb)
    # The size in the directory is a lie, too small or too large.
    small = bomb.replace(struct.pack("<I", 4 * 10**7), struct.pack("<I", 100))
    large = zipped(tree, {"0": b"12345678"}).replace(*map(struct.Struct("<I").pack, (8, 2**31)))
    for data in (small, large):
        with pytest.raises(InputError, match="damaged"):
            read(tmp_path, data)


def test_a_member_twice_is_refused(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for number in range(2):
            archive.writestr("net/data.pkl", pickled({"a": number}))
    with pytest.raises(InputError, match="two members"):
        read(tmp_path, file.getvalue())


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_cut_off_anywhere(tmp_path, form: str):
    storages = {"0": NUMBERS.tobytes()}
    whole = (
        zipped(views(), storages)
        if form == "zip"
        else legacy(views(), {"0": (24, *storages.values())})
    )
    for end in range(0, len(whole), 7):
        with pytest.raises(InputError, match=r"net\.pth: [^\n]*$"):
            read(tmp_path, whole[:end])
    with pytest.raises(InputError):
        read(tmp_path, whole[:-1])


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_any_flipped_byte_is_an_input_error_or_harmless(tmp_path, form: str):
    storages = {"0": NUMBERS.tobytes()}
    whole = (
        zipped(views(), storages)
        if form == "zip"
        else legacy(views(), {"0": (24, *storages.values())})
    )
    noise = np.random.default_rng(0)
    for at in range(0, len(whole), 7):
        data = bytearray(whole)
        data[at] ^= int(noise.integers(1, 256))
        try:
            read(tmp_path, bytes(data))
        except InputError as error:
            assert "\n" not in str(error)


def test_a_pickled_module(tmp_path):
    """As `torch.save(module)` writes it: classes that nobody has, filled with their attributes."""

    def module(parameters, buffers, modules, temporary=()):
        state = {
            "training": False,
            "_parameters": parameters,
            "_buffers": buffers,
            "_non_persistent_buffers_set": list(temporary),
            "_modules": modules,
        }
        return Call(Name("somewhere", "Net"), (), state)

    def weights(first):
        data = tensor("0", 24, (2,), (1,), first, legacy=True)
        return Call(Name("torch._utils", "_rebuild_parameter"), (data, True, {}))

    leaf = module(
        {"weight": weights(0), "bias": None}, {"mean": weights(2), "grid": weights(0)}, {}, ["grid"]
    )
    net = module(
        {"alpha": weights(4)}, {}, {"conv": leaf, "net": module({}, {}, {"0": leaf}), "no": None}
    )
    data = legacy({"epoch": 3, "model": net}, {"0": (24, NUMBERS.tobytes())})
    wanted = {
        "alpha": NUMBERS[4:6],
        "conv.weight": NUMBERS[0:2],
        "conv.mean": NUMBERS[2:4],
        "net.0.weight": NUMBERS[0:2],
        "net.0.mean": NUMBERS[2:4],
    }
    same(read(tmp_path, data), wanted)


def test_written_and_read_again(tmp_path):
    noise = np.random.default_rng(0)
    state = {
        f"layer.{name}.é": noise.integers(0, 2, (3, 4)).astype(dtype)
        for name, dtype in DTYPES.items()
    } | {"number": np.float32(3), "empty": np.zeros((0, 3), np.float32), "view": NUMBERS[::2]}
    write_torch(tmp_path / "net.pth", state)
    same(read_state(tmp_path / "net.pth")[0], state)
    once = (tmp_path / "net.pth").read_bytes()
    write_torch(tmp_path / "net.pth", state)
    assert (tmp_path / "net.pth").read_bytes() == once


def test_the_writer_of_these_tests_writes_what_torch_reads():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for data in (
        zipped(views(), {"0": NUMBERS.tobytes()}),
        legacy(views(legacy=True), {"0": (24, NUMBERS.tobytes())}),
    ):
        back = torch.load(io.BytesIO(data), weights_only=True)
        same({name: value.numpy() for name, value in back.items()}, WANTED)
