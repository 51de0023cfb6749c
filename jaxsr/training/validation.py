"""What a run is judged by: the measures of `config.metrics` on the validation images.

The numbers are those of `eval.py --metrics` on the same images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.errors import InputError, nearest
from jaxsr.evaluation import (
    Score,
    Scorer,
    TestImage,
    degradation_of,
    make_scorer,
    measured,
    refuse_small,
)
from jaxsr.metrics import get_protocol
from jaxsr.metrics.registry import MEASURES, Asked, cells, titles
from jaxsr.models import create_model
from jaxsr.side_by_side import side_by_side
from jaxsr.training.config import TrainConfig
from jaxsr.training.meter import Say

_RANKING = ("psnr", "ssim")  # always measured: checkpoints are ranked by them
_SHOWN = 4  # images in pictures, always the first ones


@dataclass(frozen=True)
class Scores:
    """Values over the whole set by the names of the measures, and the first images' results."""

    values: dict[str, float]
    images: tuple[Score, ...]


def check_metrics(names: Sequence[str]) -> None:
    """InputError for a name of `config.metrics` that no measure has."""
    for name in names:
        if name not in MEASURES:
            raise InputError(f"config.metrics: unknown measure '{name}'{nearest(name, MEASURES)}")


class Validation:
    """Scores networks on one test set; made before a run leaves anything behind.

    Args:
      config: of the run; its `metrics` have been checked.
      tests: one image or more, cropped for the scale.
      say: prints a line for the user: one for each measure that is left out because the weights
        it needs are not on this machine, which is no reason not to train.

    Raises:
      InputError: naming an image that is too small for one of the measures.
    """

    def __init__(self, config: TrainConfig, tests: Sequence[TestImage], say: Say) -> None:
        self.config, self.tests = config, tests
        self._protocol = get_protocol(config.protocol)
        self._degrade = degradation_of(config.degradation, config.scale)
        model = create_model(config.model, scale=config.scale, **config.model_args)
        self._scorer = make_scorer(model, self._protocol, self._degrade)
        names = tuple(dict.fromkeys((*_RANKING, *config.metrics)))
        try:
            refuse_small([MEASURES[name] for name in names], tests, config.scale)
        except InputError as error:
            raise InputError(f"config.metrics: {error}") from None
        self._asked: dict[str, Asked] = {}
        for name in names:
            try:
                self._asked[name] = MEASURES[name].make(config.scale, None)
            except InputError as error:
                say(f"{name} is left out of the validation: {error}")

    def score(self, variables: Any) -> Scores:
        """The network of the config with these variables."""
        return self._scores(self._scorer, variables)

    def bicubic(self) -> Scores:
        """Bicubic interpolation, by the same measures."""
        model = create_model("bicubic", scale=self.config.scale)
        return self._scores(make_scorer(model, self._protocol, self._degrade), {})

    def line(self, scores: Scores) -> str:
        """The values in one line, with the protocol that they belong to."""
        values = (f"{MEASURES[n].title} {MEASURES[n].text(v)}" for n, v in scores.values.items())
        return f"validation {', '.join(values)} ({self._protocol.name})"

    def picture(
        self, columns: Sequence[tuple[str, Scores]], *, show_lr: bool = False
    ) -> np.ndarray:
        """The first images of the set, each method's beside HR; see `side_by_side`."""
        shown = [(label, scores.images) for label, scores in columns]
        return side_by_side(self.tests[:_SHOWN], shown, self.config.scale, show_lr=show_lr)

    def _scores(self, scorer: Scorer, variables: Any) -> Scores:
        from tqdm import tqdm

        each: list[dict[str, float]] = []
        shown: list[Score] = []  # not all of them: a set may be large
        for image in tqdm(self.tests, "validation", leave=False, disable=None, delay=2):
            score = scorer(variables, image)
            each.append(measured(self._asked, self._protocol, image, score))
            if len(shown) < _SHOWN:
                shown.append(score)
        whole = {
            name: MEASURES[name].over_set([values[name] for values in each]) for name in self._asked
        }
        return Scores(whole, tuple(shown))


@dataclass(frozen=True)
class Comparison:
    """The end of a run: what it made, beside bicubic.

    Attributes:
      rows: (label, scores), bicubic first, the trained network last; all by the same measures.
      protocol: the name of the protocol.
      picture: the side-by-side picture of all rows.
      gain: the PSNR that the network gained over bicubic, in dB; None for a run with
        discriminators or after a stage for PSNR, which gives up PSNR on purpose.
    """

    rows: tuple[tuple[str, Scores], ...]
    protocol: str
    picture: Path
    gain: float | None


def compare(
    validation: Validation, networks: Sequence[tuple[str, Scores]], path: Path
) -> Comparison:
    """Scores bicubic on the same images and writes the side-by-side picture to `path`.

    Args:
      networks: (label, scores), the run's own last; before it that of a stage for PSNR, if any.

    Raises:
      InputError: if the picture cannot be written there.
    """
    from jaxsr.image.io import Picture, write_image

    rows = (("bicubic", validation.bicubic()), *networks)
    write_image(path, Picture(validation.picture(rows), None))
    config, gain = validation.config, None
    if not (config.adversarial.discriminators or config.pretrain.steps):
        gain = networks[-1][1].values["psnr"] - rows[0][1].values["psnr"]
    return Comparison(rows, config.protocol, path, gain)


def table(comparison: Comparison) -> str:
    """The comparison for people: a row for each method, a column for each measure."""
    rows = comparison.rows
    measures = {name: MEASURES[name] for name in rows[0][1].values}
    first = max(26, *(len(label) + 2 for label, _ in rows))
    lines = [f"{'on the validation images':<{first}}{titles(measures)}"]
    lines += [f"{label:<{first}}{cells(measures, scores.values)}" for label, scores in rows]
    gain = comparison.gain
    start = "" if gain is None else f"{'gain':<{first}}{gain:>+7.2f} dB   "
    lines.append(f"{start}(protocol {comparison.protocol})")
    lower = [measure.title for measure in measures.values() if not measure.higher_is_better]
    if lower:
        lines.append(f"lower is better: {', '.join(lower)}")
    lines.append(f"side by side: {comparison.picture}")
    return "\n".join(lines)
