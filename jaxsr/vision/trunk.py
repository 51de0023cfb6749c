"""The convolution part of an image classifier, as a chain of named layers."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxsr.errors import InputError, nearest

# "conv1_1/kernel" [h, w, in, out], "conv1_1/bias" [out], ..., and "mean" and "std" [3]: what the
# weights expect is (x - mean) / std of RGB in [0, 1].
Params = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Trunk:
    """A fixed network.

    Attributes:
      layers: the names of all layers, in order; torchvision's number of a layer in `features` is
        its place here.
      layer: `layer(params, name, x)`: what one of them makes of the output of the one before.
      shapes: of the parameters, without mean and std.
      taps: the layers that LPIPS compares.
    """

    layers: tuple[str, ...]
    layer: Callable[[Params, str, jax.Array], jax.Array]
    shapes: Mapping[str, tuple[int, ...]]
    taps: tuple[str, ...]

    def check(self, layers: Collection[str]) -> None:
        """InputError for a name that is no layer's."""
        for name in layers:
            if name not in self.layers:
                raise InputError(f"unknown layer '{name}'{nearest(name, self.layers)}")

    def __call__(
        self, params: Params, x: jax.Array, layers: Collection[str]
    ) -> dict[str, jax.Array]:
        """The outputs of some layers, in float32 or wider; what is behind the last is not run.

        Args:
          params: see `Params`.
          x: [N, H, W, 3], RGB in [0, 1], not clipped; [N, H, W, 1] is gray.
          layers: such as {"conv5_3", "relu1_2"}: a conv is before its ReLU, a pool after it.

        Raises:
          InputError: for a name that is no layer's, or images so small that one of them has no
            output.
        """
        self.check(layers)
        height, width = x.shape[1:3]
        x = normalised(params, x)
        found: dict[str, jax.Array] = {}
        for name in self.layers:
            if len(found) == len(layers):
                break
            x = self.layer(params, name, x)
            if 0 in x.shape:
                raise InputError(
                    f"{width}x{height} pixels are too few for the layer '{name}' of the fixed "
                    "network; take larger ones or an earlier layer"
                )
            if name in layers:
                found[name] = x
        return found


def normalised(params: Params, x: jax.Array) -> jax.Array:
    """What a trunk's first convolution sees of [N, H, W, 1 or 3] in [0, 1]."""
    mean, std = (params[name].reshape(1, 1, 1, 3) for name in ("mean", "std"))
    return (x.astype(jnp.promote_types(x.dtype, jnp.float32)) - mean) / std


def conv(params: Params, name: str, x: jax.Array, stride: int = 1, pad: int = 0) -> jax.Array:
    """Convolution with zero padding `pad` on every side, plus bias."""
    y = lax.conv_general_dilated(
        x,
        params[f"{name}/kernel"].astype(x.dtype),
        (stride, stride),
        ((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y + params[f"{name}/bias"].reshape(1, 1, 1, -1)


def max_pool(x: jax.Array, size: int, *, ceil: bool = False) -> jax.Array:
    """Maxima of size x size windows, 2 apart; `ceil` keeps a last window that is not whole."""
    over = [(0, (n - size) % 2 if ceil else 0) for n in x.shape[1:3]]
    return lax.reduce_window(
        x, -jnp.inf, lax.max, (1, size, size, 1), (1, 2, 2, 1), ((0, 0), *over, (0, 0))
    )


def conv_shapes(name: str, size: int, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """The shapes of one convolution's parameters."""
    return {f"{name}/kernel": (size, size, inputs, outputs), f"{name}/bias": (outputs,)}
