"""CARN and CARN-M: Ahn et al. 2018, "Fast, Accurate, and Lightweight Super-Resolution with
Cascading Residual Network", https://arxiv.org/abs/1803.08664.

Mean colour subtracted, entry conv, three cascading blocks in a global cascade, an up-sampler per
scale (conv, ReLU, shuffle), exit conv, mean colour added; no long skip. In a cascade, the input
and the outputs of all units so far are concatenated and fused by a 1x1 conv and ReLU; the units
are residual blocks inside a cascading block, and cascading blocks outside. CARN-M's residual
blocks have grouped convolutions and a 1x1 one, and are shared inside a cascading block; its
up-samplers are grouped, too, as in the authors' code. PyTorch's default initialisation.
"""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxsr.models.blocks import conv, upsampler
from jaxsr.models.card import Card
from jaxsr.models.mean_shift import MeanShift
from jaxsr.models.multiscale import scales_to_run


class ResidualBlock(nn.Module):
    """ReLU(x + conv(ReLU(conv(x)))): [N, H, W, C] -> the same."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.relu(conv(x, x.shape[-1], 3, "conv1", dtype=self.dtype))
        return nn.relu(x + conv(y, x.shape[-1], 3, "conv2", dtype=self.dtype))


class EfficientBlock(nn.Module):
    """CARN-M's residual block: two grouped convolutions and a 1x1 one that mixes the groups."""

    groups: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        features, grouped = x.shape[-1], {"groups": self.groups, "dtype": self.dtype}
        y = nn.relu(conv(x, features, 3, "conv1", **grouped))
        y = nn.relu(conv(y, features, 3, "conv2", **grouped))
        return nn.relu(x + conv(y, features, 1, "conv3", dtype=self.dtype))


def _cascade(x: jax.Array, units: list[Callable[[jax.Array], jax.Array]], dtype: Any) -> jax.Array:
    """Unit after unit, each followed by `fusion1`, `fusion2`, ... of all that came before it."""
    features = x.shape[-1]
    every = [x]
    for i, unit in enumerate(units):
        every.append(unit(x))
        joint = jnp.concatenate(every, axis=-1)
        x = nn.relu(conv(joint, features, 1, f"fusion{i + 1}", dtype=dtype))
    return x


class CascadingBlock(nn.Module):
    """A cascade of three residual blocks: [N, H, W, C] -> the same."""

    mobile: bool
    groups: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if self.mobile:
            shared = EfficientBlock(self.groups, dtype=self.dtype, name="block")
            return _cascade(x, [shared] * 3, self.dtype)
        blocks = [ResidualBlock(dtype=self.dtype, name=f"block{i + 1}") for i in range(3)]
        return _cascade(x, blocks, self.dtype)


class Upsample(nn.Module):
    """One scale's up-sampler: [N, H, W, C] -> [N, scale * H, scale * W, C]."""

    scale: int
    groups: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        # The authors' ReLU stands before the shuffle: the two commute.
        return upsampler(
            x,
            x.shape[-1],
            self.scale,
            name="conv",
            groups=self.groups,
            dtype=self.dtype,
            activation=lambda x, _: nn.relu(x),
        )


class CARN(nn.Module):
    """[N, H, W, 3] in [0, 1] -> [N, scale * H, scale * W, 3].

    Holds the parameters of all `scales`, runs `scale`; the released networks have one head per
    scale, ports also a single one. `mobile` makes it CARN-M, whose `groups` are 4.
    """

    scale: int
    features: int = 64
    mobile: bool = False
    groups: int = 1
    scales: tuple[int, ...] = (2, 3, 4)
    dtype: Any = None  # compute type; parameters stay float32
    colour: ClassVar[str] = "rgb"

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        x = MeanShift(-1, name="sub_mean")(lr)
        x = conv(x, self.features, 3, "entry", dtype=self.dtype)
        blocks = [
            CascadingBlock(self.mobile, self.groups, dtype=self.dtype, name=f"cascade{i + 1}")
            for i in range(3)
        ]
        x = _cascade(x, blocks, self.dtype)
        each = {
            s: Upsample(s, self.groups, dtype=self.dtype, name=f"upsample_x{s}")(x)
            for s in scales_to_run(self)
        }
        x = conv(each[self.scale], 3, 3, "exit", dtype=self.dtype)
        return MeanShift(1, name="add_mean")(x)


_card = functools.partial(
    Card,
    title="Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual Network",
    year=2018,
    url="https://arxiv.org/abs/1803.08664",
    upsampling="end: sub-pixel",
    scales=(2, 3, 4),
    recipe="DIV2K, L1, LR patches of 64, batches of 64 at one scale drawn at random, Adam 1e-4 "
    "halved every 400,000 of 600,000 updates, gradient norm clipped at 10",
)
_NOTE = (
    "One network for all scales: the parameters are those of all its heads, the Mult-Adds those "
    "of the path of one scale. The parameters include 24 fixed values of the mean colour"
)
MODELS = {
    "carn": _card(
        build=CARN,
        note=f"{_NOTE}, as in the paper.",
        published={
            2: {
                "Set5": (37.76, 0.9590),
                "Set14": (33.52, 0.9166),
                "BSD100": (32.09, 0.8978),
                "Urban100": (31.92, 0.9256),
                "Manga109": (38.36, 0.9765),
            },
            3: {
                "Set5": (34.29, 0.9255),
                "Set14": (30.29, 0.8407),
                "BSD100": (29.06, 0.8034),
                "Urban100": (28.06, 0.8493),
                "Manga109": (33.50, 0.9440),
            },
            4: {
                "Set5": (32.13, 0.8937),
                "Set14": (28.60, 0.7806),
                "BSD100": (27.58, 0.7349),
                "Urban100": (26.07, 0.7837),
                "Manga109": (30.47, 0.9084),
            },
        },
    ),
    "carn_m": _card(
        build=functools.partial(CARN, mobile=True, groups=4),
        note=f"{_NOTE}; the paper's 412K count neither these nor the biases.",
        published={
            2: {
                "Set5": (37.53, 0.9583),
                "Set14": (33.26, 0.9141),
                "BSD100": (31.92, 0.8960),
                "Urban100": (31.23, 0.9193),
            },
            3: {
                "Set5": (33.99, 0.9236),
                "Set14": (30.08, 0.8367),
                "BSD100": (28.91, 0.8000),
                "Urban100": (27.55, 0.8385),
            },
            4: {
                "Set5": (31.92, 0.8903),
                "Set14": (28.42, 0.7762),
                "BSD100": (27.44, 0.7304),
                "Urban100": (25.62, 0.7694),
            },
        },
    ),
}
