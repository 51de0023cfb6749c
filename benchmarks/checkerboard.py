"""Which way of enlarging draws a checkerboard, at initialisation and after a short training.

    python -m benchmarks.checkerboard [--data FOLDER] [--scale 4] [--steps 300] [--out FOLDER]

One small network for each way: two convolutions of 16 features with ReLU, the enlargement, a
convolution to RGB; for "bicubic" the image is enlarged before the first. All have the same budget:
L1, Adam 1e-3, batches of 4 HR patches, on the photographs in scikit-image or in a folder of one's
own, of which the first is kept to measure on. A few minutes on one core. Prints PSNR and
`jaxsr.metrics.checkerboard`, the share of the detail's energy that repeats with the period of the
enlargement, beside that of the original; writes a picture and the numbers into --out
(runs/checkerboard).
"""

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

from jaxsr.data.images import read_rgb
from jaxsr.data.layouts import hr_files
from jaxsr.errors import InputError
from jaxsr.image import imresize
from jaxsr.image.colour import to_float, to_uint8
from jaxsr.image.io import Picture, write_image
from jaxsr.metrics import checkerboard, psnr
from jaxsr.models import upsampling
from jaxsr.models.blocks import conv
from jaxsr.side_by_side import busiest, captioned

_partial = functools.partial
_PHOTOGRAPHS = ("astronaut.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
_FEATURES, _BATCH, _SIDE = 16, 4, 256  # the last: pixels a side of the image measured on


def ways(scale: int) -> dict[str, Any]:
    """Name -> layer; None is bicubic, before the network. 2s + 1 is no multiple of s: uneven."""
    uneven, even = 2 * scale + 1, 2 * scale
    icnr = _partial(upsampling.sub_pixel, icnr=True)
    found = {
        "bicubic before": None,
        f"transposed {uneven}x{uneven}": _partial(upsampling.transposed, size=uneven),
        f"transposed {even}x{even}": _partial(upsampling.transposed, size=even),
        "sub-pixel": upsampling.sub_pixel,
        "sub-pixel, ICNR": icnr,
        "nearest + conv": upsampling.nearest_conv,
    }
    if scale % 4 == 0:
        uneven_by_two = _partial(upsampling.transposed, size=3)
        found |= {
            "progressive, transposed 3x3": _partial(upsampling.progressive, uneven_by_two),
            "progressive, sub-pixel": _partial(upsampling.progressive, upsampling.sub_pixel),
            "progressive, ICNR": _partial(upsampling.progressive, icnr),
            "progressive, nearest + conv": _partial(
                upsampling.progressive, upsampling.nearest_conv
            ),
        }
    return found


class Small(nn.Module):
    """[N, H, W, 3] -> [N, scale * H, scale * W, 3], enlarged by `way`."""

    way: Any
    scale: int

    @nn.compact
    def __call__(self, lr: jax.Array) -> jax.Array:
        x = lr if self.way else upsampling.bicubic(lr, self.scale)
        for name in ("conv1", "conv2"):
            x = nn.relu(conv(x, _FEATURES, 3, name))
        x = self.way(x, self.scale, name="upsample") if self.way else x
        return conv(x, 3, 3, "tail")


def batches(images: Sequence[np.ndarray], patch: int, steps: int) -> np.ndarray:
    """uint8 [steps, N, patch, patch, 3]: the same for every way."""
    draw = np.random.default_rng(0)

    def crop() -> np.ndarray:
        image = images[int(draw.integers(len(images)))]
        top, left = (draw.integers(n - patch + 1) for n in image.shape[:2])
        return image[top : top + patch, left : left + patch]

    return np.stack([[crop() for _ in range(_BATCH)] for _ in range(steps)])


def train(model: Any, variables: Any, data: np.ndarray) -> Any:
    """The variables after one Adam step for each batch."""
    optimizer = optax.adam(1e-3)

    def loss(variables: Any, hr: jax.Array) -> jax.Array:
        lr = imresize(hr, 1 / model.scale)
        return jnp.abs(model.apply(variables, lr) - hr).mean()

    @jax.jit
    def step(variables: Any, state: Any, pixels: jax.Array) -> tuple[Any, Any]:
        updates, state = optimizer.update(jax.grad(loss)(variables, to_float(pixels)), state)
        return optax.apply_updates(variables, updates), state

    state = optimizer.init(variables)
    for pixels in data:
        variables, state = step(variables, state, pixels)
    return variables


def to_see(x: np.ndarray) -> np.ndarray:
    """uint8, the range of each channel stretched: networks start at any brightness."""
    low, high = x.min((0, 1)), x.max((0, 1))
    return np.asarray(to_uint8((x - low) / np.maximum(high - low, 1e-6)))


def measure(images: Sequence[np.ndarray], scale: int, steps: int) -> tuple[list[Any], np.ndarray]:
    """A row of numbers for each way, and the picture."""
    first, *others = images
    top, left = ((n - min(_SIDE, n)) // 2 for n in first.shape[:2])
    side = min(_SIDE, *first.shape[:2]) // scale * scale
    pixels = first[top : top + side, left : left + side]
    hr: Any = to_float(pixels)[None]
    lr = imresize(hr, 1 / scale)
    window = busiest(pixels, 48, scale)
    data = batches(others, 24 * scale, steps)

    def share(x: jax.Array) -> float:
        inner = slice(2 * scale, -2 * scale)  # the zeros around the image draw lines of their own
        return float(checkerboard(x[:, inner, inner], scale)[0])

    original = {"way": "the original", "initial": None, "trained": share(hr), "psnr": None}
    print(_line(original), flush=True)
    rows, before, after = [original], [], []
    for name, way in ways(scale).items():
        model: Any = Small(way, scale)
        variables = model.init(jax.random.key(0, impl="rbg"), lr)
        apply = jax.jit(model.apply)
        start = apply(variables, lr)
        sr = apply(train(model, variables, data), lr)
        score = float(psnr(sr, hr, shave=scale)[0])
        row = {"way": name, "initial": share(start), "trained": share(sr), "psnr": score}
        print(_line(row), flush=True)
        rows.append(row)
        before.append(captioned(name, to_see(np.asarray(start[0])[window]), 3))
        result = np.asarray(to_uint8(jnp.clip(sr[0], 0, 1)))[window]
        after.append(captioned(f"trained, {score:.2f} dB", result, 3))
    return rows, np.concatenate([np.concatenate(cells, axis=1) for cells in (before, after)])


def _line(row: dict[str, Any]) -> str:
    initial, trained = (
        "-" if row[key] is None else f"{100 * row[key]:.3f} %" for key in ("initial", "trained")
    )
    score = "-" if row["psnr"] is None else f"{row['psnr']:.2f}"
    return f"{row['way']:<30}{initial:>12}{trained:>12}{score:>10}"


def _photographs() -> list[Path]:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise InputError("needs scikit-image (pip install '.[quickstart]'), or --data=FOLDER")
    return [Path(spec.origin).parent / "data" / name for name in _PHOTOGRAPHS]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder of images, two or more")
    parser.add_argument("--scale", type=int, default=4, choices=(2, 3, 4, 8))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("runs/checkerboard"))
    args = parser.parse_args(argv)
    try:
        files = hr_files(args.data) if args.data else _photographs()
        images = [read_rgb(path) for path in files]
        smallest = min(min(image.shape[:2]) for image in images)
        if len(images) < 2 or smallest < 24 * args.scale:
            raise InputError(f"needs two images of {24 * args.scale} pixels a side or more")
        print(f"{'':<30}{'initial':>12}{'trained':>12}{'PSNR':>10}")
        rows, picture = measure(images, args.scale, args.steps)
        args.out.mkdir(parents=True, exist_ok=True)
        write_image(args.out / "checkerboard.png", Picture(picture))
        text = json.dumps({"scale": args.scale, "steps": args.steps, "ways": rows}, indent=2)
        (args.out / "checkerboard.json").write_text(text + "\n")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"picture and numbers: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
