"""Each discriminator against the same layers of PyTorch, with the same weights.

One call in training mode, its gradients, the statistics after it, and a call in inference mode:
logits and statistics to 1e-5, gradients to 1e-4 of the largest.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.discriminators import create_discriminator

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
F = torch.nn.functional
spectral_norm = torch.nn.utils.spectral_norm

X: Any = np.random.default_rng(5).random((4, 32, 32, 3), np.float32)
FEATURES: Any = 20 * np.random.default_rng(6).random((4, 5, 5, 16), np.float32)


class TensorFlowPad(torch.nn.Module):
    """SAME of a 3x3 convolution of stride 2: ceil(n / 2) outputs, the odd zero at the end."""

    def forward(self, x: Any) -> Any:
        pads = []
        for n in (x.shape[3], x.shape[2]):
            total = max((-(-n // 2) - 1) * 2 + 3 - n, 0)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads)


def sequence(*layers: Any) -> Any:
    """Named layers in a row; None has no parameters and gets a name that no layer has."""
    named = [(name or f"other{i}", layer) for i, (name, layer) in enumerate(layers)]
    return torch.nn.Sequential(OrderedDict(named))


def leaky() -> Any:
    return None, torch.nn.LeakyReLU(0.2)


def end(features: int) -> list[Any]:
    return [
        (None, torch.nn.Flatten()),
        ("dense", torch.nn.Linear(features, 6)),
        leaky(),
        ("logit", torch.nn.Linear(6, 1)),
    ]


def srgan(channels: int, size: int, *, tensorflow: bool) -> Any:
    layers: list[Any] = []
    widths = [4, 4, 8, 8, 16, 16, 32, 32]
    for i, (before, width) in enumerate(zip([channels, *widths], widths, strict=False), 1):
        stride = 1 if i % 2 else 2
        padding = 1
        if tensorflow and stride == 2:
            layers.append((None, TensorFlowPad()))
            padding = 0
        conv = torch.nn.Conv2d(before, width, 3, stride, padding, bias=tensorflow or i == 1)
        layers.append((f"conv{i}", conv))
        if i > 1:
            layers.append((f"bn{i}", torch.nn.BatchNorm2d(width)))
        layers.append(leaky())
    return sequence(*layers, *end(32 * size**2))


def enhancenet() -> Any:
    layers: list[Any] = []
    before = 3
    for i, width in enumerate([4, 8, 16, 32, 64]):
        layers += [(f"conv{i}_0", torch.nn.Conv2d(before, width, 3, 1, 1)), leaky()]
        layers += [(None, TensorFlowPad())]
        layers += [(f"conv{i}_1", torch.nn.Conv2d(width, width, 3, 2)), leaky()]
        before = width
    return sequence(*layers, *end(64))


def vgg_style() -> Any:
    layers: list[Any] = [("conv0_0", torch.nn.Conv2d(3, 4, 3, 1, 1)), leaky()]
    before = 4
    for i, width in enumerate([4, 8, 16, 32, 32]):
        if i > 0:
            layers.append((f"conv{i}_0", torch.nn.Conv2d(before, width, 3, 1, 1, bias=False)))
            layers += [(f"bn{i}_0", torch.nn.BatchNorm2d(width)), leaky()]
        layers.append((f"conv{i}_1", torch.nn.Conv2d(width, width, 4, 2, 1, bias=False)))
        layers += [(f"bn{i}_1", torch.nn.BatchNorm2d(width)), leaky()]
        before = width
    return sequence(*layers, *end(32))


def patchgan(spectral: bool) -> Any:
    layers: list[Any] = []
    widths = [4, 8, 16, 32, 1]
    for i, (before, width) in enumerate(zip([3, *widths], widths, strict=False)):
        normed = i in (1, 2, 3) and not spectral
        conv = torch.nn.Conv2d(before, width, 4, 2 if i < 3 else 1, 1, bias=not normed)
        layers.append((f"conv{i}", spectral_norm(conv) if spectral else conv))
        if normed:
            layers.append((f"bn{i}", torch.nn.BatchNorm2d(width)))
        layers.append(leaky())
    return sequence(*layers[:-1])


class UNet(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv0 = torch.nn.Conv2d(3, 4, 3, 1, 1)
        for i, width in enumerate([4, 8, 16], 1):
            down = torch.nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)
            setattr(self, f"conv{i}", spectral_norm(down))
        for i, width in enumerate([32, 16, 8], 4):
            up = torch.nn.Conv2d(width, width // 2, 3, 1, 1, bias=False)
            setattr(self, f"conv{i}", spectral_norm(up))
        for i in (7, 8):
            conv = torch.nn.Conv2d(4, 4, 3, 1, 1, bias=False)
            setattr(self, f"conv{i}", spectral_norm(conv))
        self.conv9 = torch.nn.Conv2d(4, 1, 3, 1, 1)

    def forward(self, x: Any) -> Any:
        def layer(x: Any, i: int) -> Any:
            return F.leaky_relu(getattr(self, f"conv{i}")(x), 0.2)

        def up(x: Any) -> Any:
            return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

        x0 = layer(x, 0)
        x1 = layer(x0, 1)
        x2 = layer(x1, 2)
        x3 = layer(x2, 3)
        x4 = layer(up(x3), 4) + x2
        x5 = layer(up(x4), 5) + x1
        x6 = layer(up(x5), 6) + x0
        return self.conv9(layer(layer(x6, 7), 8))


def to_pytorch(variables: Any, height: int) -> dict[str, Any]:
    """The state dict; `height` is of the (square) features that go into the dense layer."""
    state: dict[str, np.ndarray] = {}
    for layer, leaves in variables["params"].items():
        spectral = "u" in variables.get("batch_stats", {}).get(layer, {})
        for leaf, value in leaves.items():
            value = np.asarray(value)
            if leaf == "kernel" and value.ndim == 4:
                name = "weight_orig" if spectral else "weight"
                state[f"{layer}.{name}"] = value.transpose(3, 2, 0, 1)
            elif layer == "dense" and leaf == "kernel":
                rows = value.reshape(height, height, -1, value.shape[-1])
                state["dense.weight"] = rows.transpose(3, 2, 0, 1).reshape(value.shape[-1], -1)
            elif leaf == "kernel":
                state[f"{layer}.weight"] = value.T
            else:
                state[f"{layer}.{'weight' if leaf == 'scale' else leaf}"] = value
    names = {"mean": "running_mean", "var": "running_var", "u": "weight_u", "v": "weight_v"}
    for layer, leaves in variables.get("batch_stats", {}).items():
        for leaf, value in leaves.items():
            state[f"{layer}.{names[leaf]}"] = np.asarray(value)
    return {key: torch.from_numpy(np.array(value)) for key, value in state.items()}


def signed(x: Any) -> Any:
    return 2 * x - 1


def less_mean(x: Any) -> Any:
    mean = torch.tensor([0.47614917, 0.45001204, 0.40904046])
    return x - mean.reshape(1, 3, 1, 1)


CASES: dict[str, tuple[str, dict[str, Any], Any, Callable[[], Any], Any, int]] = {
    # name, fields, input, layers, range, side of the last features
    "srgan": ("srgan", {}, X, lambda: srgan(3, 2, tensorflow=False), signed, 2),
    "enhancenet": ("enhancenet", {}, X, enhancenet, less_mean, 1),
    "srfeat_image": ("srfeat_image", {}, X, lambda: srgan(3, 2, tensorflow=True), signed, 2),
    "srfeat_feature": (
        "srfeat_feature",
        {},
        FEATURES,
        lambda: srgan(16, 1, tensorflow=True),
        lambda x: x / 12.75,
        1,
    ),
    "vgg_style": ("vgg_style", {}, X, vgg_style, lambda x: x, 1),
    "unet": ("unet", {}, X, UNet, lambda x: x, 0),
    "patchgan": ("patchgan", {}, X, lambda: patchgan(False), signed, 0),
    "patchgan_spectral": (
        "patchgan",
        {"norm": "spectral"},
        X,
        lambda: patchgan(True),
        signed,
        0,
    ),
}


def with_unit_vectors(variables: Any) -> Any:
    """The spectral norms' u and v as unit vectors; sigma is then of the size of the kernel's."""

    def unit(path: Any, value: Any) -> Any:
        return value / np.linalg.norm(value) if path[-1].key in "uv" else value

    return jax.tree.map_with_path(unit, variables)


@pytest.mark.parametrize("case", CASES)
def test_same_as_pytorch(case, fake_params):
    name, fields, x, layers, ranged, height = CASES[case]
    dense = {} if name in ("unet", "patchgan") else {"dense": 6}
    model: Any = create_discriminator(name, features=4, **dense | fields)
    variables = with_unit_vectors(fake_params(model, x))
    peer = layers()
    before = to_pytorch(variables, height)
    missing, unexpected = peer.load_state_dict(before, strict=False)
    assert not unexpected and all("num_batches_tracked" in key for key in missing)
    stats = variables.get("batch_stats", {})

    # Unoptimised: it is compiled for longer than it runs.
    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def both_modes(params: Any, x: Any) -> Any:
        def objective(params: Any, x: Any) -> Any:
            logits, changed = model.apply(
                {"params": params, "batch_stats": stats}, x, True, mutable=["batch_stats"]
            )
            return jnp.mean(jax.nn.softplus(logits)), (logits, changed)

        grads, (logits, changed) = jax.grad(objective, argnums=(0, 1), has_aux=True)(params, x)
        return logits, grads, changed, model.apply({"params": params} | changed, x)

    got, grads, changed, inferred = both_modes(variables["params"], x)
    norms: dict[str, int] = {}  # how many values each channel has
    for key, module in peer.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(
                lambda _, x, y, key=key: norms.update({key: y.numel() // y.shape[1]})
            )
    images = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    want = peer(ranged(images))
    F.softplus(want).mean().backward()

    def compare(a: Any, b: Any, atol: float = 1e-5) -> None:
        b = b.detach().numpy()
        np.testing.assert_allclose(a, b.transpose(0, 2, 3, 1) if b.ndim == 4 else b, atol=atol)

    compare(got, want)
    assert np.std(got) > 1e-4  # something is compared
    compare(grads[1], images.grad, 1e-4 * images.grad.abs().max())
    largest = max(float(p.grad.abs().max()) for p in peer.parameters())
    for key, value in to_pytorch({"params": grads[0], "batch_stats": stats}, height).items():
        if not key.endswith(("running_mean", "running_var", "weight_u", "weight_v")):
            gradient = peer.get_parameter(key).grad
            np.testing.assert_allclose(value, gradient, rtol=1e-3, atol=1e-4 * largest, err_msg=key)
            cancelled = key.endswith("bias") and key.replace("conv", "bn") in peer.state_dict()
            assert cancelled or gradient.abs().max() > 1e-7, key
    after = to_pytorch({"params": variables["params"]} | changed, height)
    for key, value in peer.state_dict().items():
        if key.endswith("running_var"):
            # PyTorch keeps the unbiased variance, n / (n - 1) times the batch's.
            n = norms[key.removesuffix(".running_var")]
            old = 0.9 * before[key]
            value = old + (value - old) * (n - 1) / n
        if "num_batches" not in key:
            np.testing.assert_allclose(after[key], value, atol=1e-5, err_msg=key)
    with torch.no_grad():
        peer.load_state_dict(after, strict=False)  # the variances too
        compare(inferred, peer.eval()(ranged(images)))
    # No statistic of a flat image makes a logit or a gradient that is not finite.
    black = jax.tree.leaves(both_modes(variables["params"], np.zeros_like(x)))
    assert all(np.all(np.isfinite(leaf)) for leaf in black)
