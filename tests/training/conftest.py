"""A tiny network with all that a network may ask of the trainer."""

from typing import Any, ClassVar

import jax
import pytest
from flax import linen as nn

from jaxsr.models import MODELS, Card
from jaxsr.models.blocks import batch_norm, conv, nearest, pixel_shuffle


class Everything(nn.Module):
    """Batch norm, dropout, heads for x2 and x3, a supervised output besides SR."""

    scale: int
    dropout: float = 0.2
    colour: ClassVar[str] = "y"

    @nn.compact
    def __call__(self, lr: jax.Array, train: bool = False) -> jax.Array:
        x = nn.relu(batch_norm(conv(lr, 4, 3, "body"), "norm", train))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        self.sow("supervised", "sr", nearest(conv(x, 1, 3, "early"), self.scale))
        heads = (2, 3) if self.is_initializing() else (self.scale,)
        sr = {s: pixel_shuffle(conv(x, s**2, 3, f"tail_x{s}"), s) for s in heads}
        return sr[self.scale] + nearest(lr, self.scale)


@pytest.fixture
def everything(monkeypatch) -> Any:
    """The class `Everything`, which is also in the registry."""
    card = Card(Everything, "Everything", None, "", "end: sub-pixel", (2, 3))
    monkeypatch.setitem(MODELS, "everything", card)
    return Everything
