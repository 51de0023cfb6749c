"""ESRGAN's adversarial training step, in the order of BasicSR's: the generator learns first, then
the discriminator from the same, detached SR; real and fake pass through it one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.pytorch.esrgan import esrgan
from benchmarks.pytorch.layers import State, conv
from benchmarks.pytorch.perceptual import PLANS

Logits = torch.Tensor
Term = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class VggStyle(nn.Module):
    """The discriminator of ESRGAN's code, under BasicSR's names: [N, 3, side, side] -> [N, 1]."""

    def __init__(self, side: int, features: int, stages: int = 5) -> None:
        super().__init__()
        self.stages = stages
        inputs = 3
        for i in range(stages):
            width = features * min(2**i, 8)
            self.add_module(f"conv{i}_0", nn.Conv2d(inputs, width, 3, 1, 1, bias=i == 0))
            if i:
                self.add_module(f"bn{i}_0", nn.BatchNorm2d(width))
            self.add_module(f"conv{i}_1", nn.Conv2d(width, width, 4, 2, 1, bias=False))
            self.add_module(f"bn{i}_1", nn.BatchNorm2d(width))
            inputs = width
        self.linear1 = nn.Linear(inputs * (side // 2**stages) ** 2, 100)
        self.linear2 = nn.Linear(100, 1)

    def forward(self, x: torch.Tensor) -> Logits:
        for i in range(self.stages):
            for j in (0, 1):
                x = self.get_submodule(f"conv{i}_{j}")(x)
                if i or j:
                    x = self.get_submodule(f"bn{i}_{j}")(x)
                x = F.leaky_relu(x, 0.2)
        return self.linear2(F.leaky_relu(self.linear1(x.flatten(1)), 0.2))


def discriminator_state(params: Mapping[str, Any], features_side: int) -> State:
    """The parameters of jaxsr's discriminator "vgg_style", which has the same names but two.

    Args:
      features_side: of the features that are flattened: channels last in jaxsr, first here.
    """
    state = {}
    for layer, values in params.items():
        name = {"dense": "linear1", "logit": "linear2"}.get(layer, layer)
        for kind, value in values.items():
            x = torch.tensor(np.array(value))
            if layer == "dense" and kind == "kernel":
                x = x.view(features_side, features_side, -1, x.shape[1]).permute(3, 2, 0, 1)
                x = x.flatten(1)
            elif kind == "kernel":
                x = x.permute(3, 2, 0, 1) if x.ndim == 4 else x.T
            state[f"{name}.{'bias' if kind == 'bias' else 'weight'}"] = x.contiguous()
    return state


class VggLoss:
    """L1 of VGG16's conv5_3, before its ReLU; called with images [N, 3, H, W] in [0, 1]."""

    def __init__(self, state: State) -> None:
        """Takes the weights under torchvision's names."""
        self.state = state
        device = state["features.0.weight"].device
        self.mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)

    def __call__(self, sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            target = self.features(hr)
        return F.l1_loss(self.features(sr), target)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) / self.std
        for i, kind in enumerate(PLANS["vgg16"][: PLANS["vgg16"].rindex("C") + 1]):
            if kind == "C":
                x = conv(self.state, f"features.{i}", x)
            else:
                x = F.relu(x) if kind == "R" else F.max_pool2d(x, 2)
        return x


def vanilla_discriminator(real: Logits, fake: Logits) -> torch.Tensor:
    return _should_be(real, 1.0) + _should_be(fake, 0.0)


def vanilla_generator(real: Logits, fake: Logits) -> torch.Tensor:
    del real
    return _should_be(fake, 1.0)


def relativistic_discriminator(real: Logits, fake: Logits) -> torch.Tensor:
    """With the gradient through both means, as the papers' formula has it; BasicSR detaches them
    here, which gives the same value."""
    return (_should_be(real - fake.mean(), 1.0) + _should_be(fake - real.mean(), 0.0)) / 2


def relativistic_generator(real: Logits, fake: Logits) -> torch.Tensor:
    return (_should_be(real - fake.mean(), 0.0) + _should_be(fake - real.mean(), 1.0)) / 2


def _should_be(logits: Logits, label: float) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


LOSSES = {
    "vanilla": (vanilla_generator, vanilla_discriminator),
    "relativistic": (relativistic_generator, relativistic_discriminator),
}


class Training:
    """Both networks, their optimisers, the average of the generator, and `step`."""

    def __init__(
        self,
        model: Any,
        generator: State,
        discriminator: nn.Module,
        terms: Mapping[str, tuple[float, Term]],
        optimizer: Callable[[Sequence[torch.Tensor]], torch.optim.Optimizer],
        *,
        loss: str = "relativistic",
        weight: float = 5e-3,
        decay: float = 0.999,
    ) -> None:
        """
        Args:
          model: jaxsr's network, for its numbers of blocks and the like.
          generator: its parameters, under BasicSR's names.
          terms: {name: (weight, loss of SR and HR)}, besides the adversarial one.
          optimizer: of the parameters of either player.
          loss: of `LOSSES`, with its `weight` in the generator's objective.
          decay: of the average.
        """
        self.generate: Callable[[torch.Tensor], torch.Tensor] = lambda lr: esrgan(
            generator, lr, model
        )
        self.judge: Callable[[torch.Tensor], Logits] = discriminator
        self.generator = [t.requires_grad_() for t in generator.values()]
        self.discriminator = list(discriminator.parameters())
        self.average = [t.detach().clone() for t in self.generator]
        self.terms, self.weight, self.decay = terms, weight, decay
        self.loss_g, self.loss_d = LOSSES[loss]
        self.optimizer_g = optimizer(self.generator)
        self.optimizer_d = optimizer(self.discriminator)

    def compile(self) -> None:
        """Has the networks and the terms compiled; backward and updates follow from that."""
        self.generate, self.judge = torch.compile(self.generate), torch.compile(self.judge)
        self.terms = {name: (w, torch.compile(term)) for name, (w, term) in self.terms.items()}

    def step(self, lr: torch.Tensor, hr: torch.Tensor) -> dict[str, torch.Tensor]:
        """One update of each player; the losses before their weights.

        LR and HR are [N, 3, H, W] in [0, 1]. The gradients stay in the parameters' `grad`.
        """
        losses = {}
        for parameter in self.discriminator:
            parameter.requires_grad_(False)
        self.optimizer_g.zero_grad()
        sr = self.generate(lr)
        with torch.no_grad():
            real = self.judge(hr)
        losses["generator"] = self.loss_g(real, self.judge(sr))
        total = self.weight * losses["generator"]
        for name, (weight, term) in self.terms.items():
            losses[name] = term(sr, hr)
            total = total + weight * losses[name]
        total.backward()
        self.optimizer_g.step()

        for parameter in self.discriminator:
            parameter.requires_grad_(True)
        self.optimizer_d.zero_grad()
        losses["discriminator"] = self.loss_d(self.judge(hr), self.judge(sr.detach()))
        losses["discriminator"].backward()
        self.optimizer_d.step()

        with torch.no_grad():
            for average, parameter in zip(self.average, self.generator, strict=True):
                average.lerp_(parameter, 1.0 - self.decay)
        return {name: value.detach() for name, value in losses.items()}
