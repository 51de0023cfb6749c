"""Every registered model by its contract, and each network against its paper's equations.

Parameters and Mult-Adds are literals: those of the papers' tables where printed (EDSR 40.73M,
43.68M, 43.09M), otherwise sums over the layers as the paper lists them.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxsr.errors import InputError
from jaxsr.image import imresize, luma, rgb_to_ycbcr
from jaxsr.models import MODELS, create_model, model_names
from jaxsr.models.apply import enlarge
from jaxsr.models.count import count_mult_adds, count_parameters

ANY = (1, 2, 3, 5, 6)  # for models that take any scale
EVERY = [(name, scale) for name, card in MODELS.items() for scale in card.scales or ANY]
KEY = jax.random.key(0, impl="rbg")  # compiles much faster than the default
LR: Any = np.random.default_rng(8).random((1, 5, 7, 3), np.float32)
LOW = {"dtype": jnp.bfloat16}
FLOAT32 = {  # layers that are float32 on purpose: images and statistics
    "lapsrn": {("image_up",)},
    "imdn": {("attention", "squeeze"), ("attention", "excite")},
}
COUNTS = {  # parameters, Mult-Adds for 1280x720
    ("srcnn", 2): (57_281, 52_700_774_400),
    ("srcnn", 3): (57_281, 52_700_774_400),
    ("srcnn", 4): (57_281, 52_700_774_400),
    ("srcnn_915", 2): (8_129, 7_402_291_200),
    ("srcnn_915", 3): (8_129, 7_402_291_200),
    ("srcnn_915", 4): (8_129, 7_402_291_200),
    ("fsrcnn", 2): (12_809, 2_871_705_600),
    ("fsrcnn", 3): (12_809, 1_276_313_600),
    ("fsrcnn", 4): (12_809, 717_926_400),
    ("fsrcnn_s", 2): (4_086, 907_084_800),
    ("fsrcnn_s", 3): (4_086, 403_148_800),
    ("fsrcnn_s", 4): (4_086, 226_771_200),
    ("espcn", 2): (21_284, 4_880_793_600),
    ("espcn", 3): (22_729, 2_316_697_600),
    ("espcn", 4): (24_752, 1_419_264_000),
    ("vdsr", 2): (665_921, 612_591_206_400),
    ("vdsr", 3): (665_921, 612_591_206_400),
    ("vdsr", 4): (665_921, 612_591_206_400),
    ("drcn", 2): (1_775_121, 17_974_296_576_000),
    ("drcn", 3): (1_775_121, 17_974_296_576_000),
    ("drcn", 4): (1_775_121, 17_974_296_576_000),
    # 297,601 + 2 x (1 + units x 2 x 128 + 128) of batch norm
    ("drrn", 2): (310_659, 6_796_895_846_400),
    ("drrn", 3): (310_659, 6_796_895_846_400),
    ("drrn", 4): (310_659, 6_796_895_846_400),
    ("drrn_b1u9", 2): (302_467, 2_448_241_459_200),
    ("drrn_b1u9", 3): (302_467, 2_448_241_459_200),
    ("drrn_b1u9", 4): (302_467, 2_448_241_459_200),
    # 678,209 + 6 weights + 2 x (1 + 6 x 12 x 64 + 57 x 64 + 6 x 64) of batch norm
    ("memnet", 2): (695_497, 2_665_001_779_200),
    ("memnet", 3): (695_497, 2_665_001_779_200),
    ("memnet", 4): (695_497, 2_665_001_779_200),
    # Per pixel of LR: 576 + 405,520 per pixel that enters a level + 576 per pixel that leaves it
    ("lapsrn", 2): (407_441, 94_095_360_000),
    ("lapsrn", 3): (814_242, 208_864_870_400),
    ("lapsrn", 4): (814_242, 117_486_489_600),
    ("lapsrn", 8): (1_221_043, 123_334_272_000),
    # Per pixel of LR: 1,475,712 + 589,824 per pixel that a transposed conv enlarges + 2,304 of HR
    ("srdensenet", 2): (2_069_505, 478_022_860_800),
    ("srdensenet", 4): (2_659_585, 256_993_689_600),
    # Per pixel of LR: 37,440 + 4 x 123,776 + 18,496
    ("idn", 2): (552_769, 126_959_616_000),
    ("idn", 3): (552_769, 56_426_496_000),
    ("idn", 4): (552_769, 31_739_904_000),
    ("edsr_baseline", 2): (1_369_859, 316_248_883_200),
    ("edsr_baseline", 3): (1_554_499, 160_314_163_200),
    ("edsr_baseline", 4): (1_517_571, 114_230_476_800),
    ("edsr_baseline", 8): (1_665_283, 63_725_875_200),
    ("edsr", 2): (40_729_603, 9_384_748_646_400),
    ("edsr", 3): (43_680_003, 4_476_528_230_400),
    ("edsr", 4): (43_089_923, 2_894_546_534_400),
    ("edsr", 8): (45_450_243, 1_271_996_006_400),
    ("mdsr_baseline", 2): (3_227_203, 410_620_723_200),
    ("mdsr_baseline", 3): (3_227_203, 202_257_203_200),
    ("mdsr_baseline", 4): (3_227_203, 137_823_436_800),
    ("mdsr", 2): (7_953_987, 1_497_784_320_000),
    ("mdsr", 3): (7_953_987, 685_441_024_000),
    ("mdsr", 4): (7_953_987, 409_614_336_000),
    ("rdn", 2): (22_123_395, 5_096_182_579_200),
    ("rdn", 3): (22_308_035, 2_284_729_139_200),
    ("rdn", 4): (22_271_107, 1_309_213_900_800),
    ("rdn_a", 2): (5_616_515, 1_293_941_145_600),
    ("rdn_a", 3): (5_801_155, 594_844_057_600),
    ("rdn_a", 4): (5_764_227, 358_653_542_400),
    ("rcan", 2): (15_444_643, 3_526_778_880_000),
    ("rcan", 3): (15_629_283, 1_587_216_384_000),
    ("rcan", 4): (15_592_355, 916_862_976_000),
    ("rcan", 8): (15_740_067, 264_384_000_000),
    ("carn", 2): (1_591_963, 222_831_129_600),
    ("carn", 3): (1_591_963, 118_799_769_600),
    ("carn", 4): (1_591_963, 90_882_259_200),
    ("carn_m", 2): (414_811, 91_182_412_800),
    ("carn_m", 3): (414_811, 46_133_452_800),
    ("carn_m", 4): (414_811, 32_489_683_200),
    ("srresnet", 2): (1_401_749, 332_174_131_200),
    ("srresnet", 3): (1_586_389, 174_469_939_200),
    ("srresnet", 4): (1_549_462, 127_766_937_600),
    ("srresnet", 8): (1_697_175, 76_665_139_200),
    ("srgan", 2): (1_401_749, 332_174_131_200),
    ("srgan", 3): (1_586_389, 174_469_939_200),
    ("srgan", 4): (1_549_462, 127_766_937_600),
    ("srgan", 8): (1_697_175, 76_665_139_200),
    ("msrresnet", 2): (1_369_859, 341_729_280_000),
    ("msrresnet", 3): (1_554_499, 190_513_152_000),
    ("msrresnet", 4): (1_517_571, 146_080_972_800),
    # Per pixel of LR: 1,218,240 + 36,864 per pixel of each enlargement and of HR + 1,728 of HR
    ("msrresnet0", 2): (1_296_000, 350_222_745_600),
    ("msrresnet0", 3): (1_296_000, 194_288_025_600),
    ("msrresnet0", 4): (1_332_928, 148_204_339_200),
    ("msrresnet0", 8): (1_369_856, 97_699_737_600),
    ("enhancenet", 4): (852_867, 120_600_576_000),
    ("srfeat", 4): (6_187_907, 460_792_627_200),
    ("esrgan", 1): (16_723_907, 1_034_079_436_800),
    ("esrgan", 2): (16_703_171, 1_032_885_043_200),
    ("esrgan", 3): (16_661_059, 1_766_522_880_000),
    ("esrgan", 4): (16_697_987, 1_032_586_444_800),
    ("esrgan", 8): (16_734_915, 318_795_264_000),
    ("srvgg", 1): (595_459, 546_766_848_000),
    ("srvgg", 2): (600_652, 137_886_105_600),
    ("srvgg", 3): (609_307, 62_167_449_600),
    ("srvgg", 4): (621_424, 35_665_920_000),
    ("swinir_light", 2): (910_152, 240_910_848_000),
    ("swinir_light", 3): (918_267, 107_900_928_000),
    ("swinir_light", 4): (929_628, 61_347_456_000),
    ("swinir", 2): (11_752_487, 2_871_877_939_200),
    ("swinir", 3): (11_937_127, 1_296_149_299_200),
    ("swinir", 4): (11_900_199, 753_137_740_800),
    ("swinir", 8): (12_047_911, 223_452_691_200),
    ("dbpn", 2): (5_953_526, 1_435_867_545_600),
    ("dbpn", 4): (10_426_358, 681_585_868_800),
    ("dbpn", 8): (23_205_878, 419_405_414_400),
    # 1,728 per pixel of half the size; per pixel of a quarter, 36,864 and IMDN x4's without 1,728
    ("imdn", 1): (752_104, 43_307_827_200),
    ("imdn", 2): (694_404, 158_765_875_200),
    ("imdn", 3): (703_059, 71_447_347_200),
    ("imdn", 4): (715_176, 40_885_862_400),
    ("pan", 2): (261_403, 70_518_988_800),
    ("pan", 3): (261_403, 39_046_348_800),
    ("pan", 4): (272_419, 28_163_635_200),
    ("rlfn", 2): (526_856, 115_405_793_280),
    ("rlfn", 3): (533_891, 52_010_311_680),
    ("rlfn", 4): (543_740, 29_821_893_120),
    ("rlfn_s", 2): (454_620, 98_792_110_080),
    ("rlfn_s", 3): (461_115, 44_571_156_480),
    ("rlfn_s", 4): (470_208, 25_593_822_720),
}


def make(name: str, **arguments: Any) -> Any:
    """`create_model`; as Any, because Flax types what `apply` returns as a union."""
    return create_model(name, **arguments)


# The contract of every model


@pytest.mark.parametrize(("name", "scale"), EVERY)
@pytest.mark.parametrize("size", [(5, 7), (1, 1)])
def test_shape_and_dtype(name, scale, size):
    """Also in bfloat16, which reaches every layer, the result and the parameters are float32."""
    model = make(name, scale=scale, **LOW if MODELS[name].needs_weights else {})
    lr = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)
    wide = set()  # the layers that are told no type, or another one

    def look(call, args, kwargs, context):
        if getattr(context.module, "dtype", jnp.bfloat16) != jnp.bfloat16:
            wide.add(context.module.path[1:])
        return call(*args, **kwargs)

    with nn.intercept_methods(look):
        sr, variables = jax.eval_shape(model.init_with_output, jax.random.key(0), lr)
    assert sr.shape == (2, size[0] * scale, size[1] * scale, 3) and sr.dtype == jnp.float32
    assert set(variables) <= {"params", "batch_stats"}
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
    assert wide == FLOAT32.get(name, set())


@pytest.mark.parametrize("name", [name for name in MODELS if name != "edsr"])
def test_finite(name, fake_params):
    """`edsr` is `edsr_baseline` but for three numbers, and too large for a fast test."""
    model = make(name, scale=(MODELS[name].scales or ANY)[-1])
    sr = model.apply(fake_params(model, LR), LR)
    assert np.isfinite(sr).all() and np.ptp(sr) > 0


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_parameters_and_mult_adds(name, scale):
    model = make(name, scale=scale)
    got = count_parameters(model), count_mult_adds(model)
    assert got == COUNTS[name, scale] if MODELS[name].needs_weights else got == (0, 0)


def test_names_and_what_is_refused():
    assert model_names() == tuple(MODELS)
    with pytest.raises(InputError, match="unknown model 'edsr_base'; did you mean 'edsr_baseline'"):
        make("edsr_base", scale=2)
    with pytest.raises(InputError, match="espcn has no scale 5; it has 2, 3, 4"):
        make("espcn", scale=5)
    for scale in (0, -2, 2.5):
        with pytest.raises(InputError, match=f"bicubic has no scale {scale}; give an integer of"):
            make("bicubic", scale=scale)
    with pytest.raises(InputError, match=r"cannot build espcn: .*'depth'"):
        make("espcn", scale=2, depth=3)


def test_gray_through_an_rgb_network(fake_params):
    model = make("edsr_baseline", scale=2, blocks=1, features=4)
    variables, gray = fake_params(model, LR), LR[..., :1]
    rgb = np.asarray(model.apply(variables, gray.repeat(3, -1)))
    sr = enlarge(model, variables, gray)
    np.testing.assert_allclose(sr, rgb.mean(-1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(enlarge(model, variables, LR), model.apply(variables, LR))


# The layers by hand


def convolve(x, layer):
    """Zero-padded correlation, one tap of the kernel after the other, in float64."""
    kernel, bias = (np.asarray(layer[key], float) for key in ("kernel", "bias"))
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    h, w = x.shape[1:3]
    taps = np.ndindex(kernel.shape[:2])
    return bias + sum(padded[:, i : i + h, j : j + w] @ kernel[i, j] for i, j in taps)


def shuffle(x, s):
    out = np.empty((x.shape[0], x.shape[1] * s, x.shape[2] * s, x.shape[3] // s**2))
    for i, j in np.ndindex(s, s):
        out[:, i::s, j::s] = x[..., i * s + j :: s**2]
    return out


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr_by_its_equations(scale, fake_params):
    model = make("edsr", scale=scale, blocks=2, features=4)
    variables = fake_params(model, LR)
    p = variables["params"]
    mean = 255 * np.array([0.4488, 0.4371, 0.4040])
    x = head = convolve(255 * LR.astype(float) - mean, p["head"])
    for i in range(2):
        hidden = np.maximum(convolve(x, p[f"block{i}_conv1"]), 0)
        x = x + 0.1 * convolve(hidden, p[f"block{i}_conv2"])
    x = head + convolve(x, p["trunk"])
    for i, factor in enumerate([3] if scale == 3 else [2] * (scale // 2)):
        x = shuffle(convolve(x, p[f"upsample{i}"]), factor)
    want = (convolve(x, p["tail"]) + mean) / 255
    np.testing.assert_allclose(model.apply(variables, LR), want, atol=1e-4)


@pytest.mark.parametrize("scale", [2, 3])
def test_espcn_by_its_equations(scale, fake_params):
    model = make("espcn", scale=scale)
    y = LR[..., :1]
    variables = fake_params(model, y)
    p = variables["params"]
    x = np.tanh(convolve(y.astype(float) - 0.5, p["conv1"]))
    x = np.tanh(convolve(x, p["conv2"]))
    want = shuffle(convolve(x, p["conv3"]), scale) + 0.5
    np.testing.assert_allclose(model.apply(variables, y), want, atol=1e-5)


# EDSR


def small_edsr(**arguments):
    return make("edsr_baseline", scale=2, **{"blocks": 2, "features": 4, **arguments})


def test_edsr_with_a_zero_tail_is_the_mean_colour(fake_params):
    model = small_edsr()
    variables = fake_params(model, LR)
    variables["params"]["tail"] = jax.tree.map(np.zeros_like, variables["params"]["tail"])
    sr = model.apply(variables, LR)
    np.testing.assert_allclose(sr, np.broadcast_to([0.4488, 0.4371, 0.4040], sr.shape), rtol=1e-6)


def test_edsr_without_residuals_has_no_blocks(fake_params):
    model, shorter = small_edsr(res_scale=0.0), small_edsr(blocks=0)
    variables = fake_params(model, LR)
    np.testing.assert_allclose(
        model.apply(variables, LR), shorter.apply(variables, LR), rtol=1e-6, atol=1e-6
    )


# ESPCN and other luma networks


def test_espcn_enlarges_luma_by_the_network_and_chroma_by_bicubic(fake_params):
    model = make("espcn", scale=2)
    variables = fake_params(model, LR)
    sr = rgb_to_ycbcr(model.apply(variables, LR))
    np.testing.assert_allclose(sr[..., :1], model.apply(variables, luma(LR)), atol=1e-5)
    np.testing.assert_allclose(sr[..., 1:], imresize(rgb_to_ycbcr(LR)[..., 1:], 2), atol=1e-5)


def test_espcn_keeps_gray_gray(fake_params):
    model = make("espcn", scale=2)
    sr = model.apply(fake_params(model, LR), LR[..., :1].repeat(3, -1))
    np.testing.assert_allclose(sr, np.asarray(sr[..., :1]).repeat(3, -1), atol=1e-5)


def test_icnr_starts_espcn_as_nearest_enlargement():
    """With it the sub-pixel layer repeats pixels; without it each pixel of a block differs."""
    y = LR[..., :1]
    for icnr in (True, False):
        model = make("espcn", scale=2, icnr=icnr)
        sr = np.asarray(model.apply(model.init(KEY, y), y))
        blocks = sr.reshape(5, 2, 7, 2).transpose(0, 2, 1, 3).reshape(-1, 4)
        spread = np.ptp(blocks, axis=1)
        assert (spread < 1e-6).all() if icnr else (spread > 1e-3).all()


def test_icnr_of_edsr():
    """After every sub-pixel layer the 4 pixels of each channel start equal."""
    model = make("edsr_baseline", scale=4, blocks=0, features=4, icnr=True)
    params = model.init(KEY, LR)["params"]
    for name in ("upsample0", "upsample1"):
        kernel = params[name]["kernel"].reshape(3, 3, 4, 4, 4)
        bias = params[name]["bias"].reshape(4, 4)
        assert np.ptp(kernel, axis=-1).max() == np.ptp(bias, axis=-1).max() == 0
        assert np.ptp(kernel) > 0.1


# Interpolation and compute types


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("nearest", "nearest"), ("bilinear",) * 2, ("bicubic",) * 2, ("lanczos", "lanczos3")],
)
def test_interpolations_are_imresize(name, kernel):
    for scale in (3, 5):
        sr = make(name, scale=scale).apply({}, LR)
        np.testing.assert_array_equal(sr, imresize(LR, scale, kernel=kernel))
    np.testing.assert_allclose(make(name, scale=1).apply({}, LR), LR, atol=1e-6)


@pytest.mark.parametrize("name", ["espcn", "edsr_baseline"])
def test_bfloat16_is_close_and_returns_float32(name, fake_params):
    arguments = {} if name == "espcn" else {"blocks": 2, "features": 8}
    model, low = (make(name, scale=2, dtype=d, **arguments) for d in (None, jnp.bfloat16))
    variables = fake_params(model, LR)
    sr, want = low.apply(variables, LR), np.asarray(model.apply(variables, LR))
    assert sr.dtype == jnp.float32
    error = np.abs(sr - want).max()
    assert 0 < error < 0.03 * np.ptp(want)
    shapes = jax.eval_shape(low.init, jax.random.key(0), LR)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(shapes))
