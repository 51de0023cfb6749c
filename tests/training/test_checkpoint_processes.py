"""Checkpoints of other processes: killed ones, and ones with other devices.

They leave out what only costs them time: Flax, the models.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.training.checkpoint import Checkpoints
from tests.training.checkpoint_states import assert_same

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
import numpy as np, jax.numpy as jnp
from pathlib import Path
from jaxsr.training.checkpoint import Checkpoints

folder, moment = Path(sys.argv[1]), sys.argv[2]
checkpoints = Checkpoints(folder)
for step in (1, 2):
    content = np.random.default_rng(step).integers(0, 256, (5, 4_000_000), np.uint8)
    state = {f"w{i}": jnp.asarray(content[i]) for i in range(5)}
    checkpoints.wait()
    checkpoints.save(step, state, spec={"of": step}, metrics={"psnr": -float(step)})

def written():
    try:
        return sum(path.stat().st_size for path in folder.glob("2*/state*/**/d/*"))
    except FileNotFoundError:  # renamed meanwhile
        return 0

while not {
    "save has returned": lambda: True,
    "some arrays are written": lambda: written() > 4_000_000,
    "the folder has its name": (folder / "2").is_dir,
}[moment]():
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def start(script: str, *args: object, **env: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | env,
    )


def test_killed_while_saving(tmp_path):
    moments = {
        "save has returned": {1, 2},
        "some arrays are written": {1, 2},
        "the folder has its name": {2},
    }
    processes = [start(KILLED, tmp_path / moment, moment) for moment in moments]
    for (moment, may_hold), process in zip(moments.items(), processes, strict=True):
        assert process.wait() == -signal.SIGKILL
        like = {f"w{i}": jax.ShapeDtypeStruct((4_000_000,), jnp.uint8) for i in range(5)}
        with Checkpoints(tmp_path / moment) as checkpoints:
            found = checkpoints.restore(like, warn=pytest.fail)
        assert found is not None
        state, spec, step = found
        assert step in may_hold and spec == {"of": step}
        content = np.random.default_rng(step).integers(0, 256, (5, 4_000_000), np.uint8)
        for i in range(5):
            np.testing.assert_array_equal(state[f"w{i}"], content[i])


RESTORED_ON_FOUR = """
import sys, jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from jaxsr.training.checkpoint import Checkpoints

assert not {"orbax", "tensorstore"} & set(sys.modules), "importing must be light"
mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
split, copied = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
like = {
    "split": jax.ShapeDtypeStruct((8, 3), jnp.float32, sharding=split),
    "copied": jax.ShapeDtypeStruct((5,), jnp.float32, sharding=copied),
    "rng": jax.device_put(jax.random.key(0), copied),
}
with Checkpoints(sys.argv[1]) as checkpoints:
    state, _, step = checkpoints.restore(like)
    assert step == 1 and state["split"].sharding == split and state["copied"].sharding == copied
    assert state["rng"].sharding.is_equivalent_to(copied, 0)
    assert state["split"].tolist() == jnp.arange(24.0).reshape(8, 3).tolist()
    checkpoints.save(2, state, spec={})
"""


def test_one_device_to_four_and_back(tmp_path):
    state = {
        "split": jnp.arange(24.0).reshape(8, 3),
        "copied": jnp.ones(5),
        "rng": jax.random.key(7),
    }
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, spec={})
    flags = "--xla_force_host_platform_device_count=4"
    assert start(RESTORED_ON_FOUR, tmp_path, XLA_FLAGS=flags).wait() == 0
    found = Checkpoints(tmp_path).restore(state)
    assert found is not None and found[2] == 2
    assert_same(found[0], state)
