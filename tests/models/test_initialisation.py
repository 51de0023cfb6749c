"""How the kernels start, against the formulas of the papers and of the authors' code."""

from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.core.scope import Scope

from jaxsr.models import MODELS, create_model

KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default
TORCH = (1 / 3) ** 0.5  # uniform within +-1/sqrt(fan_in)
HE = 2**0.5
# Layer -> the standard deviation of its kernel, by fan-in unless said. Biases start at zero,
# PyTorch's as its kernels.
NORMAL = {
    "srcnn": {"conv1": 1e-3, "conv2": 1e-3, "conv3": 1e-3},
    "fsrcnn": {  # by fan-out
        "extract": HE / (25 * 56) ** 0.5,
        "map0": HE / (9 * 12) ** 0.5,
        "expand": HE / 56**0.5,
        "deconvolve": 1e-3,
    },
    "vdsr": {"conv1": HE / (9 * 64) ** 0.5},
    "drcn": {"embed1": HE / (9 * 256) ** 0.5, "reconstruction/conv1": HE / (9 * 256) ** 0.5},
    "drrn": {"conv1": HE / (9 * 128) ** 0.5},
    "memnet": {"block0/conv_a": HE / (9 * 64) ** 0.5, "block5/gate": HE / (12 * 64) ** 0.5},
    "lapsrn": {
        "head": 1e-3,
        "level0/conv0": HE / (9 * 64) ** 0.5,
        "level0/up": HE / (9 * 64) ** 0.5,
        "level0/residual": HE / (9 * 64) ** 0.5,
    },
    "srdensenet": {"block0/conv1": HE / (9 * 16) ** 0.5, "upsample0": HE / (9 * 256) ** 0.5},
    "idn": {  # by the mean of fan-in and fan-out, of one group
        "block0/conv2": HE / (9 * (12 + 32) / 2) ** 0.5,
        "upsample": HE / (17**2 * (64 + 1) / 2) ** 0.5,
    },
    "msrresnet": {"block0/conv1": 0.1 * HE / (9 * 64) ** 0.5, "tail": 0.1 * HE / (9 * 64) ** 0.5},
    "enhancenet": {"block0/conv1": 1 / (9 * 64) ** 0.5},  # Xavier, by the mean
    "srfeat": {"block0/conv1": 0.01, "tap0": 0.01, "tail": 0.01},
    "esrgan": {
        "block0/dense1/conv2": 0.1 * HE / (9 * 96) ** 0.5,
        "block0/dense1/conv5": 0.1 * HE / (9 * 192) ** 0.5,
    },
    "dbpn": {"up1/conv1": HE / (64 * 64) ** 0.5, "down2/bottleneck": HE / 128**0.5},
}
UNIFORM = {  # layer -> fan-in
    "espcn": {"conv3": 9 * 32},
    "srresnet": {"block0/conv1": 9 * 64},
    "edsr_baseline": {"block0_conv1": 9 * 64, "upsample0": 9 * 64},
    "mdsr_baseline": {"preprocess_x2/block0/conv1": 25 * 64, "trunk": 9 * 64},
    "rdn": {"block0/dense1": 9 * 128, "fusion1": 16 * 64},
    "rcan": {"group0/block0/conv1": 9 * 64, "group0/block0/excite": 4},
    "carn_m": {"cascade1/block/conv1": 9 * 16, "fusion1": 128},
    "esrgan": {"trunk": 9 * 64},
    "imdn": {"block0/conv2": 9 * 48},
    "pan": {"block0/mask": 20},
    "rlfn": {"block0/fuse": 52},
}


def start(name: str, layers: Any) -> dict[str, tuple[np.ndarray, ...]]:
    """Kernel and bias, if any, of these layers as they start; those of others are not made."""
    found: dict[str, dict[str, np.ndarray]] = {layer: {} for layer in layers}

    def param(scope: Scope, leaf: str, init: Any, *args: Any, **kwargs: Any) -> Any:
        del kwargs
        layer = "/".join(scope.path)
        if layer in found and leaf not in found[layer]:  # a shared layer comes again
            with jax.ensure_compile_time_eval():
                found[layer][leaf] = np.asarray(init(KEY, *args))
        return jnp.zeros(args[0]) if args else init(None)

    card = MODELS[name]
    model: Any = create_model(name, scale=4 if 4 in card.scales else card.scales[-1])
    lr = jax.ShapeDtypeStruct((1, 8, 8, 1 if model.colour == "y" else 3), jnp.float32)
    with mock.patch.object(Scope, "param", param):
        jax.eval_shape(model.init, KEY, lr)
    return {layer: tuple(leaves.values()) for layer, leaves in found.items()}


@pytest.mark.parametrize("name", NORMAL)
def test_kernels_of_a_given_deviation(name):
    for layer, (kernel, *bias) in start(name, NORMAL[name]).items():
        tolerance = 4 * (2 * kernel.size) ** -0.5  # four deviations of a normal sample's
        assert kernel.std() == pytest.approx(NORMAL[name][layer], rel=tolerance), layer
        assert not np.any(bias), layer


@pytest.mark.parametrize("name", UNIFORM)
def test_kernels_and_biases_of_pytorch(name):
    for layer, (kernel, *biases) in start(name, UNIFORM[name]).items():
        bound = UNIFORM[name][layer] ** -0.5
        assert kernel.std() == pytest.approx(bound * TORCH, rel=4 * (2 * kernel.size) ** -0.5)
        assert np.abs(kernel).max() <= bound, layer
        assert all(0 < np.abs(bias).max() <= bound for bias in biases), layer
