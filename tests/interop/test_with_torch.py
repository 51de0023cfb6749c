"""PyTorch's files against PyTorch itself: what it writes is read, what is written it reads."""

import numpy as np
import pytest

from jaxsr.interop.files import read_state
from jaxsr.interop.torch_files import write_torch
from tests.interop.torch_writer import DTYPES, same

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("new", [True, False])
def test_torch_save(tmp_path, new: bool):
    base = torch.arange(24.0)
    tree = {
        "whole": base,
        "view": base.reshape(2, 3, 4)[:, 1:, ::2],
        "transposed": base.reshape(4, 6).t(),
        "expanded": base[:1].expand(3, 3),
        "parameter": torch.nn.Parameter(base[2:5]),
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "int64": base.long(),
        "bool": base > 3,
        "number": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "channels_last": base.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        "numpy": np.arange(6.0).reshape(2, 3),
    }
    torch.save(tree, tmp_path / "net.pth", _use_new_zipfile_serialization=new)
    state, _ = read_state(tmp_path / "net.pth")
    assert list(state) == list(tree)
    for name, value in tree.items():
        want = value.detach().float().numpy() if name != "numpy" else value
        assert state[name].dtype.name == str(value.dtype).removeprefix("torch.")
        np.testing.assert_array_equal(state[name].astype(want.dtype), want, err_msg=name)


@pytest.mark.parametrize("new", [True, False])
def test_whole_modules(tmp_path, new: bool):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU())
    net.register_buffer("grid", torch.zeros(9), persistent=False)
    shared = torch.nn.ModuleDict({"model": net, "again": net[0]})
    for saved in (shared, torch.nn.DataParallel(shared), {"model": shared, "epoch": 1}):
        torch.save(saved, tmp_path / "net.pt", _use_new_zipfile_serialization=new)
        state, _ = read_state(tmp_path / "net.pt")
        wanted = {key: value.numpy() for key, value in shared.state_dict().items()}
        same(dict(sorted(state.items())), dict(sorted(wanted.items())))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.jit.script(net).save(str(tmp_path / "net.pt"))
    state, _ = read_state(tmp_path / "net.pt")
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(state[name], value.numpy())


def test_training_checkpoints(tmp_path):
    net = torch.nn.Conv2d(3, 4, 3)
    adam = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(4, 3, 3, 3)}}}
    tree = {"epoch": 3, "optimizer": adam, "state_dict": net.state_dict()}
    torch.save(tree, tmp_path / "net.ckpt")
    assert list(read_state(tmp_path / "net.ckpt")[0]) == ["weight", "bias"]


def test_torch_reads_what_is_written(tmp_path):
    noise = np.random.default_rng(0)
    state = {
        f"layer.{name}": noise.integers(0, 2, (2, 3, 4)).astype(dtype)
        for name, dtype in DTYPES.items()
    } | {"number": np.float32(3), "empty": np.zeros((0, 3), np.float32)}
    write_torch(tmp_path / "net.pth", state)
    back = torch.load(tmp_path / "net.pth", weights_only=True)
    assert list(back) == list(state) and type(back).__name__ == "OrderedDict"
    for name, value in state.items():
        assert str(back[name].dtype) == f"torch.{value.dtype}"
        np.testing.assert_array_equal(back[name].float().numpy(), value.astype(np.float32))
