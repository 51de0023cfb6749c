"""One step of ESRGAN's adversarial training, ready to be taken in jaxsr and in PyTorch."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_SCALE, _PATCH = 4, 128
_NETWORK, _LAYER = "vgg_random", "conv5_3"
_L1_WEIGHT, _VGG_WEIGHT, _GAN_WEIGHT, _RATE, _DECAY = 1e-2, 1.0, 5e-3, 1e-4, 0.999

Losses = dict[str, float]  # before their weights
Step = Callable[[], Callable[[], Losses]]  # starts a step; what it returns waits for its losses


@dataclass(frozen=True)
class Size:
    blocks: int
    features: int
    growth: int
    judging: int  # features of the discriminator
    batch: int
    steps: int  # of a turn
    programs: tuple[str, ...]


class Problem:
    """Networks, their random variables, and images, the same in every process."""

    def __init__(self, size: Size) -> None:
        import jax

        from jaxsr.models import create_model
        from jaxsr.models.discriminators import create_discriminator

        fields = {"blocks": size.blocks, "features": size.features, "growth": size.growth}
        self.size = size
        self.generator: Any = create_model("esrgan", scale=_SCALE, **fields)
        self.discriminator: Any = create_discriminator("vgg_style", features=size.judging)
        noise = np.random.default_rng(0)
        self.lr, self.hr = (
            noise.integers(0, 256, (size.batch, side, side, 3), np.uint8)
            for side in (_PATCH // _SCALE, _PATCH)
        )

        def leaf(path: Any, spec: Any) -> np.ndarray:
            if path[-1].key in ("scale", "var"):
                return np.ones(spec.shape, np.float32)
            fan_in = max(1, int(np.prod(spec.shape[:-1])))
            return noise.normal(0.0, 0.5 * fan_in**-0.5, spec.shape).astype(np.float32)

        key = jax.random.key(0)
        self.variables, self.opponent = (
            jax.tree.map_with_path(leaf, dict(jax.eval_shape(network.init, key, image)))
            for network, image in ((self.generator, self.lr), (self.discriminator, self.hr))
        )


def prepare_jaxsr(problem: Problem) -> tuple[str, Step]:
    import jax
    import jax.numpy as jnp

    from jaxsr.data import Batch
    from jaxsr.losses import get_loss
    from jaxsr.metrics import get_protocol
    from jaxsr.training.adversarial import make_adversarial_step
    from jaxsr.training.adversarial_state import AdversarialState, Opponent, make_judges
    from jaxsr.training.config import AdversarialConfig, DiscriminatorConfig, OptimizerConfig
    from jaxsr.training.optimizer import make_optimizer
    from jaxsr.training.pairing import make_pairing
    from jaxsr.training.state import TrainState

    judged = {"features": problem.size.judging}
    config = AdversarialConfig(
        {"image": DiscriminatorConfig("vgg_style", judged, weight=_GAN_WEIGHT)}, "relativistic"
    )
    optimizer = make_optimizer(OptimizerConfig(learning_rate=_RATE), 1)
    loss = get_loss({"l1": _L1_WEIGHT, f"{_NETWORK}_{_LAYER}": _VGG_WEIGHT})
    step = make_adversarial_step(
        problem.generator,
        make_pairing(get_protocol("rgb"), None, _SCALE),
        optimizer,
        loss,
        _DECAY,
        make_judges(config),
        optimizer,
        config,
    )
    params, opponent = jax.tree.map(
        jnp.asarray, (problem.variables["params"], problem.opponent["params"])
    )
    state = AdversarialState(
        TrainState(
            step=jnp.zeros((), jnp.int32),
            params=params,
            batch_stats={},
            opt_state=optimizer.init(params),
            ema=jax.tree.map(jnp.copy, params),
            rng=jax.random.key(0),
        ),
        {
            "image": Opponent(
                opponent,
                jax.tree.map(jnp.asarray, problem.opponent["batch_stats"]),
                optimizer.init(opponent),
            )
        },
        {},
    )
    records = np.arange(problem.size.batch, dtype=np.uint32)
    batch = jax.device_put(Batch(records, problem.hr, problem.lr))
    # As in the trainer: the parameters of VGG are an argument, and the state is donated.
    program: Any = jax.jit(lambda state, batch, step: step(state, batch), donate_argnums=0)
    names = {
        "l1": "loss/l1",
        "vgg": f"loss/{_NETWORK}_{_LAYER}",
        "generator": "loss/gan_image",
        "discriminator": "image/loss",
    }

    def run() -> Callable[[], Losses]:
        nonlocal state
        state, metrics = program(state, batch, step)

        def losses() -> Losses:
            jax.block_until_ready(state)
            return {name: float(metrics[key]) for name, key in names.items()}

        return losses

    found = jax.devices()[0]
    return "CPU" if found.platform == "cpu" else found.device_kind, run


def prepare_torch(problem: Problem, *, compiled: bool) -> tuple[str, Step]:
    import torch
    import torch.nn.functional as F

    from benchmarks.pytorch import esrgan_training as peer
    from benchmarks.pytorch.perceptual import state_dict
    from jaxsr.interop.mapping import to_file
    from jaxsr.interop.weights import layouts_of
    from jaxsr.vision import TRUNKS
    from jaxsr.vision.weights import loaded

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def put(x: torch.Tensor) -> torch.Tensor:
        x = x.to(device)
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x

    model, variables = problem.generator, problem.variables
    named = to_file(layouts_of(model, variables)[0], model, variables)
    generator = {key: put(torch.from_numpy(np.array(x))) for key, x in named.items()}
    discriminator = peer.VggStyle(_PATCH, problem.size.judging)
    params = peer.discriminator_state(problem.opponent["params"], _PATCH // 32)
    discriminator.load_state_dict(params, strict=False)  # running statistics start as they are
    for parameter in discriminator.to(device).parameters():
        parameter.data = put(parameter.data)
    vgg = state_dict(TRUNKS[_NETWORK], loaded(_NETWORK))
    training = peer.Training(
        model,
        generator,
        discriminator,
        {
            "l1": (_L1_WEIGHT, F.l1_loss),
            "vgg": (_VGG_WEIGHT, peer.VggLoss({key: put(x) for key, x in vgg.items()})),
        },
        functools.partial(torch.optim.Adam, lr=_RATE, fused=True),
        weight=_GAN_WEIGHT,
        decay=_DECAY,
    )
    if compiled:
        training.compile()
    lr, hr = (
        put(torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255) for x in (problem.lr, problem.hr)
    )

    def run() -> Callable[[], Losses]:
        losses = training.step(lr, hr)

        def wait() -> Losses:
            if device.type == "cuda":
                torch.cuda.synchronize()
            return {name: float(value) for name, value in losses.items()}

        return wait

    return "CPU" if device.type == "cpu" else torch.cuda.get_device_name(), run
