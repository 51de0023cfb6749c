"""The bicubic rows that every paper prints, through the code that scores every model."""

import pytest

from jaxsr.degradations import bicubic
from jaxsr.evaluation import evaluate, make_scorer, read_test_set
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model

# (set, images, protocol, scale): PSNR, SSIM. The papers print y-uint8: Set5 33.66 / 30.39 / 28.42
# and .9299 / .8682 / .8104. One image of Set14 is gray: taken for RGB it would add 0.09 dB.
ROWS = {
    ("Set5", 5, "y-uint8", 2): (33.661, 0.9299),
    ("Set5", 5, "y-uint8", 3): (30.392, 0.8682),
    ("Set5", 5, "y-uint8", 4): (28.421, 0.8104),
    ("Set5", 5, "rgb", 2): (33.679, 0.9304),
    ("Set5", 5, "rgb", 3): (30.406, 0.8690),
    ("Set5", 5, "rgb", 4): (28.432, 0.8113),
    ("Set14", 14, "y-uint8", 3): (27.541, 0.7736),
    ("Set14", 14, "rgb", 3): (27.541, 0.7745),
    ("BSD100", 100, "y-uint8", 4): (25.961, 0.6674),
}


@pytest.mark.parametrize(("name", "count", "protocol", "scale"), ROWS)
def test_bicubic(reference, name, count, protocol, scale):
    rules = get_protocol(protocol)
    images = read_test_set(reference / "data" / name, scale, rules)
    assert len(images) == count
    score = make_scorer(create_model("bicubic", scale=scale), rules, bicubic(scale))
    result = evaluate(score, {}, images)
    psnr, ssim = ROWS[name, count, protocol, scale]
    assert result.psnr == pytest.approx(psnr, abs=0.005)
    assert result.ssim == pytest.approx(ssim, abs=0.0005)
