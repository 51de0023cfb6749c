"""Scores at validation: those of the measures' own functions, and what people read of them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr import evaluation
from jaxsr.degradations import bicubic
from jaxsr.errors import InputError
from jaxsr.evaluation import evaluate, make_scorer
from jaxsr.image.colour import luma, to_float, to_uint8
from jaxsr.metrics import get_protocol
from jaxsr.metrics.registry import MEASURES
from jaxsr.models import create_model
from jaxsr.training.config import AdversarialConfig, DiscriminatorConfig, TrainConfig
from jaxsr.training.validation import (
    Comparison,
    Scores,
    Validation,
    check_metrics,
    compare,
    table,
)

NOISE = np.random.default_rng(7).integers(0, 256, (24, 24, 3), np.uint8)
TESTS = [
    evaluation.TestImage("flat.png", np.full_like(NOISE, 90)),
    evaluation.TestImage("noise.png", NOISE),
]
CONFIG = TrainConfig("nearest", 2, "rgb", "l1", 1, metrics=("rmse", "consistency"))
GAN = AdversarialConfig({"image": DiscriminatorConfig("srgan")})


def silent(line: str) -> None:
    raise AssertionError(line)


@pytest.mark.parametrize("protocol", ["rgb", "y-uint8"])
def test_scores_are_those_of_the_evaluation_and_of_the_measures(protocol):
    """PSNR and SSIM exactly `evaluate`'s; RMSE, which eval.py's tests compare with scikit-image,
    and the LR-PSNR exactly those of the measures on the images as `evaluate` gives them."""
    rules = get_protocol(protocol)
    validation = Validation(replace(CONFIG, protocol=protocol), TESTS, silent)
    scores = validation.score({})
    assert list(scores.values) == ["psnr", "ssim", "rmse", "consistency"]

    want = evaluate(make_scorer(create_model("nearest", scale=2), rules, bicubic(2)), {}, TESTS)
    assert (scores.values["psnr"], scores.values["ssim"]) == (want.psnr, want.ssim)
    assert [score.name for score in scores.images] == ["flat.png", "noise.png"]
    for name in ("rmse", "consistency"):
        ask = MEASURES[name].make(2, None)
        each = []
        for image, score in zip(TESTS, want.images, strict=True):
            hr = to_uint8(luma(to_float(image.hr))) if rules.on_luma else image.hr
            each.append(float(ask(score.sr[None], hr[None], score.lr[None])[0]))
        assert scores.values[name] == MEASURES[name].over_set(each)
    assert scores.values["rmse"] > 10


def test_a_measure_without_its_files_is_left_out(monkeypatch):
    def missing(scale, pristine):
        raise InputError("its weights are not on this machine: put them into FOLDER")

    monkeypatch.setitem(MEASURES, "rmse", replace(MEASURES["rmse"], make=missing))
    lines = []
    validation = Validation(CONFIG, TESTS, lines.append)
    assert lines == [
        "rmse is left out of the validation: its weights are not on this machine: put them into "
        "FOLDER"
    ]
    assert list(validation.score({}).values) == ["psnr", "ssim", "consistency"]


def test_a_measure_without_a_value_is_no_error(monkeypatch):
    def nothing(scale, pristine):
        return lambda sr, hr, lr: np.array([np.nan])

    monkeypatch.setitem(MEASURES, "niqe", replace(MEASURES["niqe"], make=nothing, least=_any))
    validation = Validation(replace(CONFIG, metrics=("niqe",)), TESTS[:1], silent)
    scores = validation.score({})
    assert np.isnan(scores.values["niqe"])
    # Equal images, but for how a version of XLA rounds the luma of either.
    equal = r"validation PSNR-Y (inf|1\d\d\.\d\d) dB, SSIM-Y 1\.0000, NIQE nan \(rgb\)"
    assert re.fullmatch(equal, validation.line(scores))


def _any(scale: int) -> tuple[int, int]:
    return 1, 1


def test_refused():
    check_metrics(("lpips", "psnr"))
    check_metrics(())
    with pytest.raises(InputError, match=r"^config\.metrics: unknown .* 'nique'; .* 'niqe'\?$"):
        check_metrics(("psnr", "nique"))
    with pytest.raises(InputError) as error:
        Validation(replace(CONFIG, metrics=("niqe",)), TESTS, silent)
    assert str(error.value) == (
        "config.metrics: flat.png: 24x24 pixels are too few for NIQE at x2, which needs 196x100; "
        "leave out the image or the measure"
    )


def scores(psnr: float, ssim: float, **more: float) -> Scores:
    return Scores({"psnr": psnr, "ssim": ssim, **more}, ())


def test_the_line():
    validation = Validation(CONFIG, TESTS, silent)
    line = validation.line(scores(28.312, 0.80123, lpips=0.12341))
    assert line == "validation PSNR-Y 28.31 dB, SSIM-Y 0.8012, LPIPS 0.1234 (rgb)"


@pytest.mark.parametrize("adversarial", [AdversarialConfig(), GAN])
def test_the_end_of_a_run(tmp_path, adversarial):
    """Nearest as the network; `before` stands for a stage for PSNR."""
    tests = [replace(TESTS[1], name=f"{i}.png") for i in range(6)]
    config = replace(CONFIG, adversarial=adversarial, metrics=())
    validation = Validation(config, tests, silent)
    network = validation.score({})
    assert len(network.images) == 4  # those that are shown
    path = tmp_path / "side_by_side.png"
    comparison = compare(validation, [("before", network), ("nearest", network)], path)

    assert [label for label, _ in comparison.rows] == ["bicubic", "before", "nearest"]
    first = comparison.rows[0][1].values
    assert first == validation.bicubic().values != network.values
    gain = network.values["psnr"] - first["psnr"]
    assert gain != 0 and comparison.gain == (None if adversarial is GAN else gain)
    assert comparison.picture == path
    # Four rows of bicubic, before, nearest and HR: 2 * 24 pixels, a caption of 18, frames of 2.
    cell = 48 + 4
    assert Image.open(path).size == (4 * cell, 4 * (cell + 18))
    assert validation.picture([("nearest", network)], show_lr=True).shape == (
        *(4 * (cell + 18), 3 * cell, 3),
    )


def test_the_table_of_a_plain_run():
    rows = (("bicubic", scores(29.704, 0.85871)), ("espcn", scores(30.674, 0.87904)))
    text = table(Comparison(rows, "y-uint8", Path("runs/side_by_side.png"), 0.97))
    assert text.splitlines() == [
        "on the validation images      PSNR-Y    SSIM-Y",
        "bicubic                     29.70 dB    0.8587",
        "espcn                       30.67 dB    0.8790",
        "gain                        +0.97 dB   (protocol y-uint8)",
        "side by side: runs/side_by_side.png",
    ]


def test_the_table_of_an_adversarial_run():
    rows = (
        ("bicubic", scores(25.9, 0.7, lpips_squeeze=0.4, niqe=7.1)),
        ("srgan after its stage for PSNR", scores(28.1, 0.81, lpips_squeeze=0.3, niqe=6.2)),
        ("srgan", scores(26.6, 0.75, lpips_squeeze=0.12, niqe=3.6)),
    )
    assert table(Comparison(rows, "rgb", Path("a.png"), None)).splitlines() == [
        "on the validation images            PSNR-Y    SSIM-Y  LPIPS-SQ      NIQE",
        "bicubic                           25.90 dB    0.7000    0.4000    7.1000",
        "srgan after its stage for PSNR    28.10 dB    0.8100    0.3000    6.2000",
        "srgan                             26.60 dB    0.7500    0.1200    3.6000",
        "(protocol rgb)",
        "lower is better: LPIPS-SQ, NIQE",
        "side by side: a.png",
    ]
