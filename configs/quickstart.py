"""The quick start: ESPCN x2 on the photographs inside the scikit-image package.

    python train.py --config=configs/quickstart.py --workdir=runs/quickstart

Needs nothing but the package (`pip install '.[quickstart]'`). Twelve photographs are trained on,
astronaut and chelsea are held out; on two cores it takes about a minute and a half and ends by
comparing the network with bicubic interpolation on them.
"""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from jaxsr.errors import InputError
from jaxsr.training.config import DataConfig, OptimizerConfig, TrainConfig, choose

_TRAIN = (
    "brick.png",
    "camera.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
)
_HELD_OUT = ("astronaut.png", "chelsea.png")


def _photographs(names: tuple[str, ...]) -> tuple[str, ...]:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise InputError("the quick start needs scikit-image: pip install '.[quickstart]'")
    folder = Path(spec.origin).parent / "data"
    return tuple(str(folder / name) for name in names)


def get_config(variant: str = "") -> TrainConfig:
    recipe = TrainConfig(
        model="espcn",
        scale=2,
        protocol="y-uint8",
        loss="mse",
        steps=2000,
        data=DataConfig(
            train=_photographs(_TRAIN),
            validation=_photographs(_HELD_OUT),
            patch=48,
            batch=16,
        ),
        optimizer=OptimizerConfig(learning_rate=2e-3, schedule="cosine", warmup=100),
        ema=0.99,
        log_every=250,
        validate_every=1000,
        checkpoint_every=1000,
    )
    tiny = replace(
        recipe,
        steps=20,
        data=replace(recipe.data, batch=4),
        optimizer=replace(recipe.optimizer, warmup=2),
        log_every=5,
        validate_every=10,
        checkpoint_every=10,
    )
    return choose(variant, {"": recipe, "tiny": tiny})
