"""SRVGGNetCompact against PyTorch operations, public weights and its published sizes."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts.srvgg import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file
from jaxsr.models import create_model
from jaxsr.models.blocks import nearest
from jaxsr.models.count import count_parameters

LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
(LAYOUT,) = LAYOUTS


def make(name: str, **arguments: Any) -> Any:
    """`create_model`; as Any, because Flax types what `apply` returns as a union."""
    return create_model(name, **arguments)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_same_as_pytorch(same_as_pytorch, scale):
    from benchmarks.pytorch.srvgg import srvgg

    model = make("srvgg", scale=scale, layers=2, features=4)
    same_as_pytorch(model, LR, LAYOUT, srvgg)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_other_activations_without_the_image(same_as_pytorch, activation):
    from benchmarks.pytorch.srvgg import srvgg

    sizes = {"layers": 2, "features": 4}
    model = make("srvgg", scale=2, activation=activation, residual=False, **sizes)
    same_as_pytorch(model, LR, LAYOUT, srvgg)


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ({"layers": 32}, (1_187_331, 1_192_524, 1_201_179, 1_213_296)),
        ({"layers": 8}, (299_523, 304_716, 313_371, 325_488)),
        ({"layers": 8, "features": 24}, (43_203, 45_156, 48_411, 52_968)),
    ],
)
def test_parameters_of_the_other_sizes(sizes, counts):
    models = [make("srvgg", scale=scale, **sizes) for scale in (1, 2, 3, 4)]
    assert tuple(map(count_parameters, models)) == counts


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("args", [{}, {"layers": 2}, {"features": 8, "activation": "relu"}])
def test_recognised(fake_params, scale, args):
    model = make("srvgg", scale=scale, **args)
    found = LAYOUT.detect(to_file(LAYOUT, model, fake_params(model, LR)))
    assert found is not None
    assert (found.model, found.scales, found.args) == ("srvgg", (scale,), args)


def test_a_zero_last_convolution_leaves_the_enlarged_image(fake_params):
    model = make("srvgg", scale=3, layers=1, features=4)
    variables = fake_params(model, LR)
    variables["params"]["last"] = jax.tree.map(np.zeros_like, variables["params"]["last"])
    np.testing.assert_array_equal(model.apply(variables, LR), nearest(LR, 3))


def test_public_weights(reference):
    from safetensors.numpy import load_file

    folder = reference / "weights"
    state = load_file(folder / "realesr_animevideov3_x4_fp16.safetensors")
    found = LAYOUT.detect(state)
    assert found is not None and (found.model, found.scales, found.args) == ("srvgg", (4,), {})
    model = make("srvgg", scale=4)
    golden = np.load(folder / "golden" / "realesr_animevideov3_x4.npz")
    got = model.apply(from_file(LAYOUT, model, state, "the file"), golden["x"])
    # The file's halves differ from the weights behind the golden values by up to half a unit in
    # the last place, which is worth 6e-4; plain PyTorch operations on the halves agree to 2e-6.
    np.testing.assert_allclose(got, golden["y"], rtol=0, atol=1e-3)
