"""No pickle runs anything, takes for ever or takes all memory."""

import io
import os
import pickle
import struct

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop import pickled_numpy, unpickle
from jaxsr.interop.files import read_state
from jaxsr.interop.unpickle import Name, Object, load
from tests.interop import torch_writer
from tests.interop.torch_writer import Call, Raw, pickled


def read(data: bytes, **functions):
    return load(io.BytesIO(data), functions)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_come_back(protocol: int):
    value = {"a": [1, -2, 2**40, 1.5, None, True], "b": (("c",), "d" * 300, "é"), 3: {}}
    assert read(pickle.dumps(value, protocol)) == value
    if protocol > 2:
        assert read(pickle.dumps(b"abc", protocol)) == b"abc"
    if protocol > 3:
        assert sorted(read(pickle.dumps({1, 2}, protocol))) == [1, 2]


def test_what_python_names_stays_a_name():
    name = read(pickle.dumps(os.path.join, 2))
    assert isinstance(name, Name) and name.text.endswith(".join")


class Exploit:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def hostile(marker: str) -> dict[str, bytes]:
    """Pickles that would create the file `marker`."""
    code = f"open({marker!r}, 'w').close()"
    text = torch_writer.Name
    tensor = text("torch._utils", "_rebuild_tensor_v2")
    return {
        "os.system": pickle.dumps(Exploit(os.system, f"touch {marker}")),
        "eval": pickle.dumps(Exploit(eval, code)),
        "exec, protocol 2": pickle.dumps(Exploit(exec, code), 2),
        "open": pickled(Call(text("builtins", "open"), (marker, "w"))),
        "posix.system": pickled(Call(text("posix", "system"), (f"touch {marker}",))),
        "dotted": pickled(
            Call(text("torch", "nn.Module.__init__.__globals__.os.system"), (f"touch {marker}",))
        ),
        "getattr": pickled(
            Call(Call(text("builtins", "getattr"), (text("os", "x"), "system")), (marker,))
        ),
        "copyreg": pickled(Call(text("copyreg", "_reconstructor"), (text("os", "x"), None, None))),
        # Objects and names that are called, and filled with methods.
        "call of an object": pickled(Call(Call(text("os", "system"), ()), (f"touch {marker}",))),
        "state": pickled(
            Call(text("os", "system"), (), {"__class__": text("os", "x"), "build": 1, "array": 1})
        ),
        "slots": pickled(Call(text("os", "system"), (), (None, {"build": text("os", "system")}))),
        "state of a name": b"\x80\x02"
        + b"cos\nsystem\n"
        + b"}X\x04\x00\x00\x00textX\x01\x00\x00\x00xsb.",
        "state of a tensor": pickled(Call(tensor, (), {"array": text("os", "system")})),
        "state of our function": b"\x80\x02ccollections\nOrderedDict\n}X\x01\x00\x00\x00aNsb.",
        "type": pickled(Call(text("builtins", "type"), ("A", (), {}))),
        "extension": b"\x80\x02\x82\x01.",
        "instance": b"\x80\x02(X\x05\x00\x00\x00touchios\nsystem\n.",
    }


@pytest.mark.parametrize("kind", hostile(""))
@pytest.mark.parametrize("form", ["pickle", "legacy", "zip"])
def test_nothing_runs(tmp_path, kind: str, form: str):
    marker = tmp_path / "marker"
    data = hostile(str(marker))[kind]
    if form == "legacy":
        data = torch_writer.legacy(Raw(data), {})
    elif form == "zip":
        data = torch_writer.zipped(Raw(data), {})
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"net\.pth"):
        read_state(path)
    assert not marker.exists()


def test_objects_keep_what_they_would_be_filled_with():
    tree = read(pickled(Call(torch_writer.Name("a", "B"), (1, 2), {"x": 1})))
    assert isinstance(tree, Object) and tree.state == {"x": 1}
    with pytest.raises(TypeError):
        tree()


LONG = struct.pack("<i", 2**31 - 1)
BOMBS = {
    "text of 4 GB": b"\x80\x02X\xff\xff\xff\x7f.",
    "text of 2**62": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b".",
    "bytes of 2**62": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
    "bytearray of 2**40": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "integer of 2 GB": b"\x80\x02\x8b" + LONG + b".",
    "integer of a million bits": b"\x80\x02\x8b"
    + struct.pack("<i", 2**17)
    + b"\x01" * 2**17
    + b".",
    "decimal integer": b"\x80\x02L" + b"9" * 100_000 + b"L\n.",
    "long names": b"\x80\x04\x8d" + struct.pack("<Q", 10**6) + b"a" * 10**6 + b"\x94h\x00\x93.",
    "nothing on the stack": b"\x80\x02.",
    "no mark": b"\x80\x02t.",
    "unset memo": b"\x80\x02h\x07.",
    "tuple of nothing": b"\x80\x02\x86.",
    "unknown opcode": b"\x80\x02\xff.",
    "no end": b"\x80\x02N",
    "buffers": b"\x80\x05\x97.",
    "persistent": b"\x80\x02NQ.",
    "two of one name": pickled({"a": 1})[:-2] + pickled({"a": 1})[4:-1] + b"u.",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused(kind: str):
    with pytest.raises(ValueError):
        read(BOMBS[kind])


def test_a_call_costs_as_many_steps_as_its_arguments_are_long(monkeypatch):
    monkeypatch.setattr(unpickle, "_MAX_STEPS", 10_000)
    pairs = b"".join(b"X\x03\x00\x00\x00%03dN\x86" % i for i in range(500))
    once = b"h\x01h\x00\x85R"
    data = b"\x80\x02](" + pairs + b"eq\x00ccollections\nOrderedDict\nq\x01" + once
    functions = {"collections.OrderedDict": unpickle.ordered_dict}
    assert len(load(io.BytesIO(data + b"."), functions)) == 500
    with pytest.raises(ValueError, match="steps"):
        load(io.BytesIO(data + once * 40 + b"."), functions)


def test_a_memo_index_allocates_nothing():
    assert read(b"\x80\x02Nr\xff\xff\xff\xff.") is None


def test_nesting_and_cycles_do_no_harm(tmp_path):
    deep = read(b"\x80\x02N" + b"\x85" * 100_000 + b".")  # tuples in tuples
    assert isinstance(deep, tuple)
    del deep
    twice = b"\x80\x02N" + b"q\x00h\x00\x86" * 200 + b"q\x01"  # ((x, x), (x, x)), ...
    assert isinstance(read(twice + b"."), tuple)
    # As a key of a dict it would be hashed for ever.
    (key,) = read(b"\x80\x02}" + twice[2:] + b"Ns.")
    assert isinstance(key, Object)
    cycle = b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00sX\x01\x00\x00\x00bh\x00s."
    laughs = b"}" + b"q\x00}X\x01\x00\x00\x00ah\x00sX\x01\x00\x00\x00bh\x00s" * 40 + b"."
    for data in (cycle, b"\x80\x02" + laughs):
        (tmp_path / "net.pth").write_bytes(data)
        with pytest.raises(InputError, match="nested without an end"):
            read_state(tmp_path / "net.pth")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "i8", "u1", "?"])
def test_pickled_numpy_arrays(tmp_path, protocol: int, dtype: str):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    tree = {"a": array, "b": np.asfortranarray(array), "c": array[0, 0, 1], "d": array.T}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"state_dict": tree, "epoch": 3}, protocol))
    state, metadata = read_state(tmp_path / "net.pkl")
    assert list(state) == list(tree) and metadata == {}
    for name, value in tree.items():
        np.testing.assert_array_equal(state[name], value)


@pytest.mark.parametrize("shape", [("a" * 1000, 10**6), ([0] * 100, 10**7), (-1,), (True,), (1.0,)])
def test_numpy_shapes_that_are_none(shape):
    array = pickled_numpy._filled(shape, pickled_numpy._Dtype("f4"), False, bytes(4))
    with pytest.raises(ValueError, match="makes no sense"):
        array.array()


def test_numpy_arrays_of_objects_are_refused(tmp_path):
    array = np.array([Exploit(os.system, "true")], dtype=object)
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"a": array}, 2))
    with pytest.raises(InputError, match="not of numbers"):
        read_state(tmp_path / "net.pkl")
