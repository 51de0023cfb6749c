"""Public weights score on Set5 what others measured with them.

PSNR-Y in dB under the protocol of the network's colour, to 0.01 dB.
"""

import pytest

from jaxsr.degradations import bicubic
from jaxsr.evaluation import evaluate, make_scorer, read_test_set
from jaxsr.loading import load_model
from jaxsr.metrics import get_protocol

MEASURED = {
    ("srcnn_955_x3.mat", 3): ("srcnn", 32.749),
    ("srcnn_915_x3.mat", 3): ("srcnn_915", 32.390),
    ("fsrcnn_x2.mat", 2): ("fsrcnn", 36.997),
    ("fsrcnn_x3.mat", 3): ("fsrcnn", 33.155),
    ("fsrcnn_s_x2.mat", 2): ("fsrcnn_s", 36.572),
    ("vdsr_twtygqyy.pth", 2): ("vdsr", 37.589),
    ("vdsr_twtygqyy.pth", 3): ("vdsr", 33.748),
    ("vdsr_twtygqyy.pth", 4): ("vdsr", 31.434),
    ("drrn_b1u25.safetensors", 2): ("drrn", 37.621),
    ("drrn_b1u25.safetensors", 3): ("drrn", 33.990),
    ("lapsrn_x4.safetensors", 4): ("lapsrn", 31.520),
    ("idn_x2.safetensors", 2): ("idn", 37.784),
    ("imdn_x4.pth", 4): ("imdn", 32.21),
    ("pan_x4.pth", 4): ("pan", 32.131149),
    ("rlfn_x4.pth", 4): ("rlfn", 32.238),
    ("enhancenet_pat_x4.safetensors", 4): ("enhancenet", 28.847),
}


@pytest.mark.parametrize(("file", "scale"), MEASURED)
def test_set5(reference, file, scale):
    name, psnr = MEASURED[file, scale]
    model, variables, spec = load_model(reference / "weights" / file, scale=scale)
    protocol = get_protocol("y-uint8" if model.colour == "y" else "rgb")
    images = read_test_set(reference / "data" / "Set5", scale, protocol)
    result = evaluate(make_scorer(model, protocol, bicubic(scale)), variables, images)
    assert spec["config"]["model"] == name
    assert result.psnr == pytest.approx(psnr, abs=0.01)
