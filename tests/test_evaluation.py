"""Test sets on disk, and scores against scikit-image; published numbers are in tests/reference."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2ycbcr

from jaxsr.cli import main as cli
from jaxsr.data.datasets import SETS
from jaxsr.degradations import bicubic, get_degradation, read_spec
from jaxsr.errors import InputError
from jaxsr.evaluation import evaluate, make_scorer, read_test_set
from jaxsr.image import imresize
from jaxsr.metrics import get_protocol
from jaxsr.models import create_model

RGB, Y = get_protocol("rgb"), get_protocol("y-uint8")
NOISE = np.random.default_rng(9).integers(0, 256, (23, 21, 3), np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    """HR of 21x23 and their LR_x2, as other files of the same names."""
    for i, name in enumerate(("a", "b")):
        hr = np.roll(NOISE, i, 0)
        save(tmp_path / "HR" / f"{name}.png", hr)
        save(tmp_path / "LR_x2" / f"{name}.bmp", hr[:22:2, :20:2])
    return tmp_path


def test_hr_is_cropped_and_lr_comes_from_the_files(folder):
    images = read_test_set(folder, 2, RGB)
    assert [image.name for image in images] == ["a.png", "b.png"]
    np.testing.assert_array_equal(images[0].hr, NOISE[:22, :20])
    lr = images[0].lr
    assert lr is not None
    np.testing.assert_array_equal(lr, NOISE[:22:2, :20:2])


def test_lr_is_made_for_luma_for_other_scales_and_for_plain_folders(folder):
    for place, scale, protocol in ((folder, 2, Y), (folder, 3, RGB), (folder / "HR", 2, RGB)):
        images = read_test_set(place, scale, protocol)
        assert len(images) == 2 and all(image.lr is None for image in images)
    steps = ({"op": "downsample"},)  # the files are not LR of this degradation
    assert all(image.lr is None for image in read_test_set(folder, 2, RGB, steps))


def test_gray_stays_gray_and_alpha_is_dropped(tmp_path):
    save(tmp_path / "gray.png", NOISE[..., 0])
    save(tmp_path / "transparent.png", np.dstack([NOISE, NOISE[..., 0]]))
    gray, rgb = read_test_set(tmp_path, 2, RGB)
    np.testing.assert_array_equal(gray.hr, NOISE[:22, :20, :1])
    np.testing.assert_array_equal(rgb.hr, NOISE[:22, :20])


@pytest.mark.parametrize("name", ["{}x2.png", "{}.png"])
def test_lr_files_by_either_name(tmp_path, name):
    """`babyx2.png` is what DIV2K and EDSR's archives call the LR file of baby.png."""
    for i, stem in enumerate(("a", "ax3")):
        save(tmp_path / "HR" / f"{stem}.png", NOISE[:22, :20])
        save(tmp_path / "LR_x2" / name.format(stem), np.full((11, 10, 3), i, np.uint8))
    for i, image in enumerate(read_test_set(tmp_path, 2, RGB)):
        assert image.lr is not None and (image.lr == i).all()


def test_other_layouts_and_known_sets(tmp_path, monkeypatch):
    """All layouts are in tests/data/test_layouts.py."""
    monkeypatch.setitem(
        SETS, "set5", replace(SETS["set5"], splits={"test": 1}, check=lambda s: None)
    )
    save(tmp_path / "Set5" / "GTmod12" / "a.png", NOISE[:20, :20])
    save(tmp_path / "Set5" / "LRbicx2" / "a.png", NOISE[:10, :10])
    for path in (tmp_path / "Set5", f"set5:{tmp_path / 'Set5'}"):
        (image,) = read_test_set(path, 2, RGB)
        assert image.lr is not None
        np.testing.assert_array_equal(image.lr, NOISE[:10, :10])
    save(tmp_path / "Set5" / "GTmod12" / "b.png", NOISE[:20, :20])
    with pytest.raises(InputError, match="2 images, but Set5 has 1"):
        read_test_set(f"set5:{tmp_path / 'Set5'}", 2, RGB)


def test_two_lr_files_for_one_hr(folder):
    before = read_test_set(folder, 2, RGB)[0].lr
    save(folder / "LR_x2" / "ax2.png", np.zeros((11, 10, 3), np.uint8))
    # The same name is meant first: ax2.png may be the LR of another image called ax2.
    np.testing.assert_array_equal(read_test_set(folder, 2, RGB)[0].lr, before)
    save(folder / "LR_x2" / "a.png", NOISE[:11, :10])
    with pytest.raises(InputError, match=r"LR_x2: a\.bmp and a\.png are both LR of a\.png"):
        read_test_set(folder, 2, RGB)


def test_refused_sets(folder):
    with pytest.raises(InputError, match="missing"):
        read_test_set(folder / "missing", 2, RGB)
    save(folder / "LR_x2" / "b.bmp", NOISE)
    with pytest.raises(InputError, match=r"b\.bmp: is 21x23 .* b\.png at x2 needs 10x11"):
        read_test_set(folder, 2, RGB)
    (folder / "LR_x2" / "b.bmp").unlink()
    with pytest.raises(InputError, match=r"no LR file for b\.png, neither b\.\* nor bx2\.\*"):
        read_test_set(folder, 2, RGB)
    save(folder / "HR" / "b.png", NOISE[:15])
    with pytest.raises(InputError, match=r"b\.png: 21x15 pixels are too few .* needs 16 a side"):
        read_test_set(folder, 2, Y)


def test_the_smallest_image_that_is_read_can_be_scored(tmp_path):
    """x3: 11 pixels and the shave of 3 a side are 17, of which the crop leaves 15."""
    score = make_scorer(create_model("nearest", scale=3), Y, bicubic(3))
    save(tmp_path / "a.png", NOISE[:18, :18])
    assert np.isfinite(score({}, read_test_set(tmp_path, 3, Y)[0]).ssim)
    save(tmp_path / "a.png", NOISE[:17, :18])
    with pytest.raises(InputError, match="too few"):
        read_test_set(tmp_path, 3, Y)


def test_scores_are_those_of_the_saved_result(folder):
    """Bicubic under `rgb`, on the LR files: PSNR of unrounded luma, by scikit-image."""
    images = read_test_set(folder, 2, RGB)
    model = create_model("bicubic", scale=2)
    watched = []
    result = evaluate(
        make_scorer(model, RGB, bicubic(2)), {}, images, lambda s: [watched.append(len(s)), *s][1:]
    )
    assert watched == [2] and [score.name for score in result.images] == ["a.png", "b.png"]
    values = []
    for image, score in zip(images, result.images, strict=True):
        assert image.lr is not None and score.sr.dtype == np.uint8
        exact = 255 * np.asarray(imresize((image.lr / 255).astype(np.float32), 2))
        assert np.abs(score.sr - exact.clip(0, 255)).max() < 0.51
        sr, hr = (rgb2ycbcr(x)[2:-2, 2:-2, 0] / 255 for x in (score.sr, image.hr))
        values.append(-10 * np.log10(((sr - hr) ** 2).mean()))
        assert score.psnr == pytest.approx(values[-1], abs=1e-3)
    assert result.psnr == pytest.approx(np.mean(values), abs=1e-3)
    assert result.ssim == pytest.approx(np.mean([score.ssim for score in result.images]))


def test_lr_is_made_where_no_file_gives_it(folder):
    """A degradation that keeps HR's own luma in every second pixel is what the network sees."""
    image = read_test_set(folder, 2, Y)[0]
    score = make_scorer(create_model("nearest", scale=2), Y, lambda key, hr: hr[..., ::2, ::2, :])(
        {}, image
    )
    y = np.floor(rgb2ycbcr(image.hr)[..., :1] + 0.5)
    np.testing.assert_array_equal(score.sr, y[::2, ::2].repeat(2, 0).repeat(2, 1))


def test_gray_through_an_rgb_network(tmp_path, fake_params):
    save(tmp_path / "gray.png", NOISE[..., 0])
    model = create_model("edsr_baseline", scale=2, blocks=0, features=4)
    variables = fake_params(model, jnp.zeros((1, 4, 4, 3)))
    image = read_test_set(tmp_path, 2, RGB)[0]
    sr = make_scorer(model, RGB, bicubic(2))(variables, image).sr
    lr = np.asarray(imresize(image.hr, 1 / 2, edge="replicate"))
    three: Any = model.apply(variables, (lr[None] / 255).repeat(3, -1).astype(np.float32))
    exact = 255 * np.asarray(three)[0]
    assert np.ptp(exact, axis=-1).mean() > 5  # the mean is none of the three
    np.testing.assert_allclose(sr, exact.mean(-1, keepdims=True).clip(0, 255), atol=0.51)


def test_an_rgb_network_has_no_luma_protocol():
    with pytest.raises(InputError, match="y-uint8 feeds luma, but the model takes RGB; use rgb"):
        make_scorer(create_model("edsr", scale=2), Y, bicubic(2))


def test_lr_is_that_of_jaxsr_degrade(folder, tmp_path):
    """As the docstring says: a file of the same name degraded with --seed 0."""
    spec = tmp_path / "noisy.json"
    spec.write_text('[{"op": "downsample"}, {"op": "noise", "sigma": [0, 50]}]')
    arguments = [str(folder / "HR"), "-o", str(tmp_path / "LR"), "--degradation", str(spec)]
    assert cli.main(["degrade", *arguments, "--scale", "2", "--seed", "0"]) == 0
    score = make_scorer(create_model("nearest", scale=2), RGB, get_degradation(read_spec(spec), 2))
    for image in read_test_set(folder / "HR", 2, RGB, "noisy"):
        with Image.open(tmp_path / "LR" / image.name) as file:
            np.testing.assert_array_equal(score({}, image).lr, np.asarray(file))


def test_networks_share_the_program_that_makes_lr(folder):
    """Realistic degradations take long to compile, for every size of image."""
    traced = []

    def degrade(key, hr):
        traced.append(hr.shape)
        return hr[:, ::2, ::2]

    images = read_test_set(folder / "HR", 2, RGB, "some other")
    for name in ("nearest", "bicubic"):
        evaluate(make_scorer(create_model(name, scale=2), RGB, degrade), {}, images)
    assert traced == [(1, 22, 20, 3)]
