"""What all tests share: strict broadcasting, cheap parameters, the reference folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

# Silent broadcasting between ranks hides mistakes in the order of axes.
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of test sets and golden values, which the repository does not hold."""
    folder = (ROOT / os.environ.get("JAXSR_REFERENCE", "../shared")).resolve()
    if not folder.is_dir():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop("needs the reference folder; set JAXSR_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def fake_params() -> Callable[..., dict[str, Any]]:
    """`fake_params(model, x)`: variables of the right shapes, filled without compiling anything.

    Small normal numbers, scaled by the fan-in so that activations neither die nor explode.
    """

    def fill(model: Any, x: Any) -> dict[str, Any]:
        noise = np.random.default_rng(0)

        def leaf(spec: jax.ShapeDtypeStruct) -> np.ndarray:
            fan_in = max(1, int(np.prod(spec.shape[:-1])))
            return noise.normal(0.0, fan_in**-0.5, spec.shape).astype(spec.dtype)

        return jax.tree.map(leaf, jax.eval_shape(model.init, jax.random.key(0), x))

    return fill
