"""Which tensors of a file are the network's, and under which names."""

from pathlib import Path

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.files import read_state
from tests.interop.torch_writer import tensor, zipped


def saved(folder: Path, tree: object) -> dict[str, int]:
    """Which tensor each name is given, of tensors that hold their own number."""
    (folder / "net.pth").write_bytes(zipped(tree, {"0": np.arange(9.0).astype("<f4").tobytes()}))
    return {name: int(value) for name, value in read_state(folder / "net.pth")[0].items()}


def number(n: int):
    return tensor("0", 9, (), (), n)


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"a": number(1), "b.c": number(2)}, {"a": 1, "b.c": 2}),
        ({"params": {"a": number(1)}, "params_ema": {"a": number(2)}}, {"a": 2}),
        ({"params": {"a": number(1)}, "params_ema": {}}, {"a": 1}),
        ({"params": {"a": number(1)}, "params-ema": {"a": number(2)}}, {"a": 2}),
        ({"epoch": 1, "best": number(3), "state_dict": {"a": number(1)}}, {"a": 1}),
        ({"model": {"state_dict": {"module.a": number(1)}}}, {"a": 1}),
        ({"netG": {"a": number(1)}, "netD": {"b": number(2)}}, {"a": 1}),
        ({"g": {"a": number(1)}, "g_ema": {"a": number(2)}, "d": {"a": number(3)}}, {"a": 2}),
        ({"a": number(1), "weights": number(2)}, {"a": 1, "weights": 2}),
        ({"module.a": number(1), "module.b": number(2)}, {"a": 1, "b": 2}),
        ({"module.a": number(1), "b": number(2)}, {"module.a": 1, "b": 2}),
        ({"_orig_mod.module.a": number(1)}, {"a": 1}),
        ({"module._orig_mod.a": number(1)}, {"a": 1}),
        ({"n_averaged": number(7), "module.a": number(1)}, {"a": 1}),
        (
            {"state_dict": {"generator.a": number(1), "discriminator.a": number(2)}},
            {"a": 1},
        ),
        (
            {"state_dict": {"generator.a": number(1), "generator_ema.a": number(2)}},
            {"a": 2},
        ),
        ({"state_dict": {"netG.a": number(1), "netD.a": number(2)}}, {"a": 1}),
        ({"state_dict": {"net_g.a": number(1), "net_g_ema.a": number(2)}}, {"a": 2}),
        ({"state_dict": {"G.a": number(1), "D.a": number(2), "vgg.b": number(3)}}, {"a": 1}),
        (
            {"model.0.weight": number(1), "model.1.weight": number(2)},
            {"model.0.weight": 1, "model.1.weight": 2},
        ),
        (
            {"conv": {"weight": number(1), "0": {"b": number(2)}}, "epoch": 4},
            {"conv.weight": 1, "conv.0.b": 2},
        ),
    ],
)
def test_containers(tmp_path, tree: dict, wanted: dict):
    assert saved(tmp_path, tree) == wanted


def test_one_name_for_two_tensors_is_refused(tmp_path):
    with pytest.raises(InputError, match="two tensors"):
        saved(tmp_path, {"a": {"b": number(1)}, "a.b": number(2)})
