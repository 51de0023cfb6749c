"""Mixing weights and pixels against closed forms, and which networks do not mix."""

import jax
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.interop.interpolate import interpolate_pixels, interpolate_weights, shared_network
from jaxsr.models import create_model


def tree(*values):
    kernel, mean = (np.array(x, np.float32) for x in values)
    return {"params": {"conv": {"kernel": kernel}}, "batch_stats": {"bn": {"mean": mean}}}


def same_bits(a, b):
    def same(x, y):
        np.testing.assert_array_equal(np.asarray(x).view(np.uint32), y.view(np.uint32))

    jax.tree.map(same, a, b)


def test_every_tensor_is_between():
    """Parameters and batch statistics; the numbers are exact in float32."""
    mixed = interpolate_weights(tree([[1, -2]], [8]), tree([[3, 6]], [0]), 0.25)
    same_bits(mixed, tree([[1.5, 0]], [6]))


def test_rounded_once():
    """Against float64; what A and B share is left as it is, to the bit."""
    a, b = np.random.default_rng(0).normal(size=(2, 1000)).astype(np.float32)
    mixed = interpolate_weights(tree(a, b), tree(b, b), 0.3)
    same_bits(mixed["batch_stats"]["bn"]["mean"], b)
    exact = 0.7 * a.astype(np.float64) + 0.3 * b.astype(np.float64)
    kernel = np.asarray(mixed["params"]["conv"]["kernel"])
    same_bits(kernel, exact.astype(np.float32))


def test_ends_are_exact():
    """Also where arithmetic would not be: the sign of a zero."""
    a, b = tree([[-0.0, 0.1]], [1e-40]), tree([[7, np.pi]], [-0.0])
    same_bits(interpolate_weights(a, b, 0), a)
    same_bits(interpolate_weights(a, b, 1), b)


@pytest.mark.parametrize("alpha", [-0.1, 1.001, float("nan")])
def test_extrapolation_is_refused(alpha):
    weights, pixels = tree([1], [1]), np.zeros((1, 1, 1), np.uint8)
    with pytest.raises(InputError, match="from 0, which is A, to 1, which is B"):
        interpolate_weights(weights, weights, alpha)
    with pytest.raises(InputError, match="from 0, which is A, to 1, which is B"):
        interpolate_pixels(pixels, pixels, alpha)


def test_pixels():
    a, b = np.array([10, 0, 255, 7], np.uint8), np.array([20, 255, 0, 7], np.uint8)
    np.testing.assert_array_equal(interpolate_pixels(a, b, 0.25), [13, 64, 191, 7])  # 12.5 is 13
    np.testing.assert_array_equal(interpolate_pixels(a, b, 0), a)
    np.testing.assert_array_equal(interpolate_pixels(a, b, 1), b)
    deep = interpolate_pixels(np.array([65535, 1], np.uint16), np.array([0, 4], np.uint16), 0.5)
    assert deep.dtype == np.uint16 and deep.tolist() == [32768, 3]


def test_where_only_a_linear_layer_differs_both_ways_agree(fake_params):
    """Of the tail, a convolution after which nothing comes but a shift, the output is linear."""
    model = create_model("srresnet", scale=2, blocks=1, features=4)
    lr = np.random.default_rng(1).random((1, 6, 5, 3), np.float32)
    a = fake_params(model, lr)
    tail = jax.tree.map(lambda x: 0.5 * x[::-1] + 0.01, a["params"]["tail"])
    b = a | {"params": a["params"] | {"tail": tail}}
    run = jax.jit(model.apply)
    want = 0.2 * run(a, lr) + 0.8 * run(b, lr)
    assert np.abs(run(a, lr) - run(b, lr)).max() > 0.1
    np.testing.assert_allclose(run(interpolate_weights(a, b, 0.8), lr), want, rtol=0, atol=1e-5)


def loaded(name, scale, scales=None, **args):
    config = {"model": name, "scale": scale, "model_args": args}
    spec = {"config": config, "scales": scales or [scale]}
    return create_model(name, scale=scale, **args), {}, spec


def test_srresnet_and_srgan_are_one_network():
    """What computes or initialises, but changes no result, may differ."""
    module, spec = shared_network(
        loaded("srresnet", 4), loaded("srgan", 4, dtype="bfloat16"), ("A", "B")
    )
    assert module == create_model("srgan", scale=4, dtype="bfloat16")
    assert spec["config"]["model"] == "srgan" and spec["scales"] == [4]


def test_scales_that_both_have():
    """Of networks whose tensors fit several."""
    module, spec = shared_network(
        loaded("vdsr", 2, [2, 3, 4]), loaded("vdsr", 4, [3, 4]), ("A", "B")
    )
    assert (module.scale, spec["config"]["scale"], spec["scales"]) == (4, 4, [3, 4])
    module, spec = shared_network(loaded("vdsr", 3), loaded("vdsr", 2, [2, 3, 4]), ("A", "B"))
    assert (module.scale, spec["config"]["scale"], spec["scales"]) == (3, 3, [3])


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (loaded("srresnet", 4), loaded("esrgan", 4), "A holds srresnet x4, B esrgan x4; only"),
        (loaded("esrgan", 4), loaded("esrgan", 2), "A holds esrgan x4, B esrgan x2; only"),
        (
            loaded("vdsr", 2, [2, 3]),
            loaded("vdsr", 4),
            "A holds vdsr x2/x3, B vdsr x4; only two of one architecture can be mixed",
        ),
        (
            loaded("edsr", 2, blocks=4),
            loaded("edsr_baseline", 2),
            "A holds edsr x2 with blocks 4, features 256, res_scale 0.1, "
            "B edsr_baseline x2 with blocks 16, features 64, res_scale 1.0; only",
        ),
    ],
)
def test_other_architectures_are_named(a, b, message):
    with pytest.raises(InputError) as refusal:
        shared_network(a, b, ("A", "B"))
    assert str(refusal.value).startswith(message)
