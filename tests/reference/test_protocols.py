"""The bicubic rows that every paper prints, through the code that scores every model."""

import pytest

from jaxsr.degradations import bicubic
from jaxsr.evaluation import evaluate, make_scorer, read_test_set
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model

# Set5, x2 x3 x4. The papers print y-uint8: 33.66 / 30.39 / 28.42 and .9299 / .8682 / .8104.
PSNR = {"y-uint8": (33.661, 30.392, 28.421), "rgb": (33.679, 30.406, 28.432)}
SSIM = {"y-uint8": (0.9299, 0.8682, 0.8104), "rgb": (0.9304, 0.8690, 0.8113)}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["y-uint8", "rgb"])
def test_bicubic_on_set5(reference, name, scale):
    protocol = get_protocol(name)
    images = read_test_set(reference / "data" / "Set5", scale, protocol)
    assert len(images) == 5
    score = make_scorer(create_model("bicubic", scale=scale), protocol, bicubic(scale))
    result = evaluate(score, {}, images)
    assert result.psnr == pytest.approx(PSNR[name][scale - 2], abs=0.005)
    assert result.ssim == pytest.approx(SSIM[name][scale - 2], abs=0.0005)
