"""The adversarial step of both players is what PyTorch's autograd and Adam make of it."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.data import Batch
from jaxsr.interop.mapping import to_file
from jaxsr.interop.weights import layouts_of
from jaxsr.losses import get_loss
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model
from jaxsr.training.adversarial import make_adversarial_step
from jaxsr.training.adversarial_state import AdversarialState, Opponent, make_judges
from jaxsr.training.config import AdversarialConfig, DiscriminatorConfig, OptimizerConfig
from jaxsr.training.optimizer import make_optimizer
from jaxsr.training.pairing import make_pairing
from jaxsr.training.state import TrainState

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

from benchmarks.pytorch import esrgan_training as peer  # noqa: E402

_SIDE, _STAGES, _WEIGHT = 32, 2, 0.3
# The usual epsilon would make whole updates of gradients that are rounding noise.
_RATE, _EPS = 1e-2, 1e-3


@pytest.mark.parametrize("loss", ["relativistic", "vanilla"])
def test_two_steps_are_those_of_pytorch(loss, fake_params):
    """The losses, the gradients' norms and the parameters of both players.

    Of the relativistic loss both programs have the papers' formula, with the gradient through both
    means. The running statistics of the batch norms are not compared: the peer, like BasicSR,
    passes every batch through the discriminator once for each player.
    """
    noise = np.random.default_rng(0)
    lr, hr = (noise.integers(0, 256, (4, s, s, 3), np.uint8) for s in (_SIDE // 4, _SIDE))
    model: Any = create_model("esrgan", scale=4, blocks=1, features=8, growth=4)
    judged = {"features": 4, "stages": _STAGES}
    config = AdversarialConfig(
        {"image": DiscriminatorConfig("vgg_style", judged, weight=_WEIGHT)}, loss
    )
    judges = make_judges(config)
    variables = fake_params(model, jnp.zeros((1, 8, 8, 3)))
    opponent = fake_params(judges["image"].module, jnp.zeros((1, _SIDE, _SIDE, 3)))

    optimizer = make_optimizer(OptimizerConfig(learning_rate=_RATE, eps=_EPS), 2)
    step = jax.jit(
        make_adversarial_step(
            model,
            make_pairing(get_protocol("rgb"), None, 4),
            optimizer,
            get_loss({"l1": 1.0}),
            0.0,
            judges,
            optimizer,
            config,
        ),
        compiler_options={"xla_backend_optimization_level": 0},  # compiles in a third of the time
    )
    params, stats = opponent["params"], opponent["batch_stats"]
    state = AdversarialState(
        TrainState(
            step=jnp.zeros((), jnp.int32),
            params=variables["params"],
            batch_stats={},
            opt_state=optimizer.init(variables["params"]),
            ema={},
            rng=jax.random.key(0),
        ),
        {"image": Opponent(params, stats, optimizer.init(params))},
        {},
    )
    batch = Batch(np.arange(4, dtype=np.uint32), hr, lr)

    generator = _generator(model, variables["params"])
    discriminator = peer.VggStyle(_SIDE, judged["features"], _STAGES)
    discriminator.load_state_dict(_discriminator(params), strict=False)
    training = peer.Training(
        model,
        generator,
        discriminator,
        {"l1": (1.0, torch.nn.functional.l1_loss)},
        functools.partial(torch.optim.Adam, lr=_RATE, eps=_EPS),
        loss=loss,
        weight=_WEIGHT,
    )
    tensors = [torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255 for x in (lr, hr)]

    for _ in range(2):
        state, metrics = step(state, batch)
        want = training.step(*tensors)
        want["loss"] = want["l1"] + _WEIGHT * want["generator"]
        want["norm"], want["judge_norm"] = (
            torch.nn.utils.get_total_norm([p.grad for p in parameters])
            for parameters in (training.generator, training.discriminator)
        )
        for ours, theirs in {
            "loss/l1": "l1",
            "loss/gan_image": "generator",
            "image/loss": "discriminator",
            "loss": "loss",
            "grad_norm": "norm",
            "image/grad_norm": "judge_norm",
        }.items():
            np.testing.assert_allclose(metrics[ours], want[theirs].numpy(), rtol=1e-4, err_msg=ours)
        _assert_same(_generator(model, state.generator.params), generator)
        _assert_same(
            _discriminator(state.discriminators["image"].params),
            dict(discriminator.named_parameters()),
        )


def _generator(model: Any, params: Any) -> dict[str, Any]:
    """Under BasicSR's names."""
    variables = {"params": params}
    named = to_file(layouts_of(model, variables)[0], model, variables)
    return {name: torch.from_numpy(np.array(x)) for name, x in named.items()}


def _discriminator(params: Any) -> dict[str, Any]:
    return peer.discriminator_state(params, _SIDE // 2**_STAGES)


def _assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """To 1 % of what a step of Adam moves a parameter by."""
    assert ours.keys() == theirs.keys()
    for name, x in ours.items():
        np.testing.assert_allclose(
            x.numpy(), theirs[name].detach().numpy(), rtol=0, atol=_RATE / 100, err_msg=name
        )
