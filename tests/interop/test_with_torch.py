"""PyTorch's files against PyTorch itself: what it writes is read, what is written it reads."""

import jax
import numpy as np
import pytest

from jaxsr.interop.files import read_state
from jaxsr.interop.layouts import edsr as edsr_layouts
from jaxsr.interop.layouts import esrgan as esrgan_layouts
from jaxsr.interop.mapping import to_file
from jaxsr.interop.torch_files import write_torch
from jaxsr.interop.weights import load_weights_file
from jaxsr.models import create_model
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


# Networks in whatever a training program has saved


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def as_module(state):
    """A module whose state dict this is."""
    root = torch.nn.Module()
    for key, value in state.items():
        *above, last = key.split(".")
        node = root
        for name in above:
            if not hasattr(node, name):
                node.add_module(name, torch.nn.Module())
            node = getattr(node, name)
        node.register_parameter(last, torch.nn.Parameter(value))
    return root


def adam(state):
    return {"state": {i: {"exp_avg": torch.zeros_like(v)} for i, v in enumerate(state.values())}}


def others(state):
    """Of another training state: the same shapes, other numbers."""
    return {key: value + 1 for key, value in state.items()}


CONTAINERS = {
    "bare": lambda s: s,
    "DataParallel": lambda s: prefixed("module.", s),
    "params": lambda s: {"params": s},
    "params, DataParallel": lambda s: {"params": prefixed("module.", s)},
    "params_ema": lambda s: {"params": others(s), "params_ema": s},
    "mmagic": lambda s: {"meta": {"epoch": 1}, "state_dict": prefixed("generator.", s)},
    "mmagic GAN": lambda s: {
        "state_dict": prefixed("generator.", others(s))
        | prefixed("discriminator.", others(s))
        | prefixed("generator_ema.", s)
    },
    "mmagic GAN without an average": lambda s: {
        "state_dict": prefixed("discriminator.", others(s)) | prefixed("generator.", s)
    },
    "Lightning, model": lambda s: {
        "epoch": 2,
        "pytorch-lightning_version": "2.0.0",
        "optimizer_states": [adam(s)],
        "state_dict": prefixed("model.", s),
    },
    "Lightning, net": lambda s: {"state_dict": prefixed("net.", s)},
    "Lightning, netG": lambda s: {"state_dict": prefixed("netG.", s) | prefixed("netD.", s)},
    "Lightning, G": lambda s: {"state_dict": prefixed("G.", s)},
    "Lightning, compiled": lambda s: {"state_dict": prefixed("model._orig_mod.", s)},
    "two wrappers": lambda s: {"state_dict": prefixed("model.net.", s)},
    "model_state_dict": lambda s: {"model_state_dict": s, "optimizer_state_dict": adam(s)},
    "netG": lambda s: {"netG": s, "netD": others(s)},
    "checkpoint": lambda s: {"epoch": 3, "optimizer": adam(s), "state_dict": s},
    "module": as_module,
    "module in a dict": lambda s: {"epoch": 3, "model": as_module(s)},
    "parallel module in a dict": lambda s: {"model": torch.nn.DataParallel(as_module(s))},
}


@pytest.fixture(scope="module", params=["EDSR-PyTorch", "ESRGAN, first code"])
def network(request, fake_params):
    """A small network, and its tensors by names of which one starts with "model" itself."""
    sizes = {"blocks": 1, "features": 4}
    if request.param == "EDSR-PyTorch":
        layout, model = edsr_layouts.LAYOUTS[0], create_model("edsr", scale=2, **sizes)
        model = model.clone(res_scale=1.0)
    else:
        layout, model = esrgan_layouts.LAYOUTS[2], create_model("esrgan", scale=4, **sizes)
    assert layout.toolbox == request.param
    variables = fake_params(model, np.zeros((1, 8, 8, 3), np.float32))
    state = to_file(layout, model, variables)
    return model, variables, {key: torch.from_numpy(np.array(v)) for key, v in state.items()}


@pytest.mark.parametrize("container", CONTAINERS)
def test_networks_in_containers(tmp_path, network, container):
    model, variables, state = network
    torch.save(CONTAINERS[container](state), tmp_path / "net.pth")
    loaded, got, _ = load_weights_file(tmp_path / "net.pth")
    assert loaded == model
    jax.tree.map(np.testing.assert_array_equal, got, variables)
