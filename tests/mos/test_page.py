"""The rating page in a real browser: load, rate, reload, download, score."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.main import main
from jaxsr.errors import InputError
from jaxsr.image.io import Picture, write_image
from jaxsr.image.resize import imresize
from jaxsr.mos.page import make_page
from jaxsr.mos.stimuli import find_stimuli

SIZES = {"image_one": (16, 24), "image_two": (12, 20)}
METHODS = ("soft_net", "keen_net", "HR")


def pixels(method, image):
    seed = zlib.crc32(f"{method} {image}".encode())
    return np.random.default_rng(seed).integers(0, 256, (*SIZES[image], 3), np.uint8)


@pytest.fixture
def folders(tmp_path):
    for method in METHODS:
        folder = tmp_path / method
        folder.mkdir()
        for image in SIZES:
            write_image(folder / f"{image}.png", Picture(pixels(method, image)))
    return [str(tmp_path / method) for method in METHODS]


@pytest.fixture
def made(folders, tmp_path):
    """The page, with training examples, and its key."""
    training = tmp_path / "training"
    training.mkdir()
    write_image(training / "a.png", Picture(pixels("training", "image_one")))
    page = tmp_path / "rate.html"
    key = make_page(find_stimuli(folders, 0), page, training=training, scale=4)
    return page, json.loads(key.read_text())


def source(driver, selector="#pane img"):
    """The pixels that the page shows."""
    data = driver.find_element("css selector", selector).get_attribute("src").partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def begin(driver, rater="Ann"):
    driver.find_element("id", "rater").send_keys(rater)
    driver.find_element("css selector", "button[type=submit]").click()


def press(driver, *keys):
    for key in keys:
        driver.find_element("css selector", "body").send_keys(key)


def where(driver):
    return driver.find_element("id", "where").text


def saved(driver, downloads, button="save"):
    """What the page offers for download, once it is there."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.find_element("id", button).click()
    WebDriverWait(driver, 10, 0.05).until(lambda _: list(downloads.glob("*.json")))
    (file,) = downloads.glob("*.json")
    return file


def test_rate_download_score(browser, downloads, made, tmp_path, capsys):
    """A rater with a known opinion of each method; the scores come out as given."""
    from selenium.webdriver.common.keys import Keys

    page, key = made
    opinion = {"soft_net": 2, "keen_net": 4, "HR": 5}
    driver = browser(page)
    assert "You will see 6 pictures" in driver.find_element("id", "start").text
    begin(driver)
    assert where(driver) == "Example 1 of 1"
    low, high = driver.find_elements("css selector", "#pane img")
    assert low.get_attribute("alt") == "Example: 1: Bad"
    assert high.get_attribute("alt") == "Example: 5: Excellent"
    hr = pixels("training", "image_one")
    np.testing.assert_array_equal(source(driver, "figure:nth-child(2) img"), hr)
    bicubic = imresize(imresize(hr, 1 / 4), 4)
    np.testing.assert_array_equal(source(driver, "figure:nth-child(1) img"), bicubic)
    press(driver, "3")  # examples are not rated
    assert where(driver) == "Example 1 of 1"
    press(driver, Keys.ENTER)

    method_of = {pixels(method, image).tobytes(): method for method in METHODS for image in SIZES}
    for i in range(6):
        assert where(driver) == f"Picture {i + 1} of 6"
        shown = source(driver)
        img = driver.find_element("css selector", "#pane img")
        assert img.size == {"width": shown.shape[1], "height": shown.shape[0]}
        press(driver, "6", "x")  # no scores
        if i == 1:
            # A slip, taken back.
            press(driver, "1", Keys.BACKSPACE)
            assert where(driver) == "Picture 2 of 6"
            pressed = driver.find_elements("css selector", "#scores [aria-pressed=true]")
            assert [button.get_attribute("value") for button in pressed] == ["1"]
        if i == 3:
            driver.refresh()
            assert where(driver) == "Picture 4 of 6"
            np.testing.assert_array_equal(source(driver), shown)
        score = opinion[method_of.pop(shown.tobytes())]
        if i % 2:
            press(driver, str(score))
        else:
            driver.find_element("css selector", f"#scores [value='{score}']").click()
    assert not method_of
    assert "All 6 pictures are rated" in driver.find_element("id", "end").text
    driver.refresh()
    answers = saved(driver, downloads)
    assert answers.name == f"mos-{key['page']}-Ann.json"
    value = json.loads(answers.read_text())
    assert value["rater"] == "Ann" and value["page"] == key["page"]
    assert all(answer["seconds"] > 0 for answer in value["answers"])
    for answer in value["answers"]:
        assert answer["score"] == opinion[key["stimuli"][answer["id"]]["method"]]

    report = tmp_path / "report.json"
    key_file = page.with_suffix(".key.json")
    assert main(["mos", "score", str(answers), "--key", str(key_file), "--json", str(report)]) == 0
    assert "1 rater, 6 ratings" in capsys.readouterr().out
    methods = json.loads(report.read_text())["methods"]
    assert {name: m["mos"] for name, m in methods.items()} == opinion
    assert list(methods) == ["HR", "keen_net", "soft_net"]


def test_save_early_and_begin_anew(browser, downloads, made):
    page, _ = made
    driver = browser(page)
    begin(driver, "  Zoë & Co ")
    driver.find_element("id", "next").click()
    assert not driver.find_element("id", "early").is_displayed()
    press(driver, "3")
    file = saved(driver, downloads, "early")
    assert file.stem.endswith("-Zoë_Co")
    value = json.loads(file.read_text())
    assert value["rater"] == "Zoë & Co" and len(value["answers"]) == 1
    press(driver, *"11111")
    driver.find_element("id", "again").click()
    driver.switch_to.alert.accept()
    assert driver.find_element("id", "start").is_displayed()
    driver.refresh()
    assert driver.find_element("id", "start").is_displayed()


def test_what_the_browser_keeps_of_another_kind_is_not_gone_on_with(browser, made):
    page, _ = made
    driver = browser(page)
    for kept in (
        '{"rater": "Ann"}',
        '{"rater": "Ann", "at": 8, "answers": {}}',
        '{"rater": "Ann", "at": 1, "answers": null}',
        "no JSON",
    ):
        driver.execute_script("localStorage.setItem(slot, arguments[0])", kept)
        driver.refresh()
        assert driver.find_element("id", "start").is_displayed()
    begin(driver)
    assert where(driver) == "Example 1 of 1"


def test_each_rater_has_an_order(browser, made):
    driver = browser(made[0])
    orders = [driver.execute_script(f"return shuffled('rater {i}')") for i in range(20)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) > 15  # of 720; chance of fewer: below 1e-6
    assert len({order[0] for order in orders}) == 6
    assert orders[3] == driver.execute_script("return shuffled('rater 3')")


def test_phone(browser, folders, tmp_path):
    """A large picture is moved in its pane; the page itself does not scroll."""
    wide = tmp_path / "wide"
    wide.mkdir()
    write_image(wide / "a.png", Picture(np.zeros((900, 700, 3), np.uint8)))
    page = tmp_path / "rate.html"
    make_page(find_stimuli([str(wide)], 0), page)
    driver = browser(page, width=360, height=640)
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    assert driver.execute_script(fits)
    begin(driver)
    assert where(driver) == "Picture 1 of 1"  # no examples
    assert driver.execute_script(fits + " && document.documentElement.scrollHeight <= innerHeight")
    pane = driver.find_element("id", "pane")
    assert driver.execute_script("return arguments[0].scrollWidth", pane) == 700
    for button in driver.find_elements("css selector", "#scores button"):
        assert button.rect["height"] >= 44 and button.rect["y"] + button.rect["height"] <= 640
        assert button.rect["width"] >= 44


def test_nothing_is_fetched_and_nothing_told(browser, made):
    """No request but for the file itself; neither methods nor images are named in it."""
    page, key = made
    driver = browser(page)
    begin(driver)
    entries = driver.execute_script("return performance.getEntriesByType('resource')")
    assert [e["name"] for e in entries if not e["name"].startswith("data:")] == []
    text = page.read_text()
    assert "http" not in text
    for name in ("soft_net", "keen_net", "image_one", "image_two"):
        assert name not in text
    assert all(text.count(f'"{name}"') == 1 for name in key["stimuli"])
    assert len({tuple(s.values()) for s in key["stimuli"].values()}) == 6


def test_the_same_seed_the_same_page(folders, tmp_path):
    pages = []
    for i, seed in enumerate((0, 0, 1)):
        make_page(find_stimuli(folders, seed), tmp_path / f"{i}.html")
        pages.append((tmp_path / f"{i}.html").read_bytes())
    assert pages[0] == pages[1] != pages[2]


def test_other_examples_make_another_page(made, folders, tmp_path):
    """What a browser keeps of one, which counts the examples, would not fit the other."""
    key = make_page(find_stimuli(folders, 0), tmp_path / "no_examples.html")
    other = json.loads(key.read_text())
    assert other["page"] != made[1]["page"] and other["stimuli"] == made[1]["stimuli"]


def test_metadata_does_not_give_a_method_away(folders, tmp_path):
    """Pixels alone go in: a palette, a text chunk or a profile would tell the method."""
    image = Image.open(tmp_path / "keen_net" / "image_one.png")
    image.save(tmp_path / "keen_net" / "image_one.png", icc_profile=b"SECRET PROFILE")
    make_page(find_stimuli(folders, 0), tmp_path / "rate.html")
    text = (tmp_path / "rate.html").read_text()
    data = [
        base64.b64decode(line.partition(">")[2].partition("<")[0])
        for line in text.splitlines()
        if line.startswith('<script id="p')
    ]
    assert len(data) == 6
    assert {Image.open(io.BytesIO(png)).mode for png in data} == {"RGB"}
    assert not any(b"iCCP" in png or b"tEXt" in png for png in data)


def test_refusals(folders, tmp_path):
    def stimuli_fail(*inputs):
        with pytest.raises(InputError) as stop:
            find_stimuli([str(text) for text in inputs], 0)
        return str(stop.value)

    soft, keen, _ = folders
    assert "are both called keen_net; give NAME=FOLDER" in stimuli_fail(f"keen_net={soft}", keen)
    assert "no such folder" in stimuli_fail(soft, tmp_path / "none")
    write_image(tmp_path / "keen_net" / "image_two.png", Picture(np.zeros((9, 8, 3), np.uint8)))
    assert "image_two.png: is 8x9, but" in stimuli_fail(soft, keen)
    (tmp_path / "keen_net" / "image_two.png").rename(tmp_path / "keen_net" / "image_three.png")
    for pair in ((soft, keen), (keen, soft)):
        line = stimuli_fail(*pair)
        assert "no picture of" in line and "all methods need the same images" in line
    (tmp_path / "keen_net" / "image_three.png").rename(tmp_path / "keen_net" / "image_one.bmp")
    assert "image_one.bmp and image_one.png; keep one" in stimuli_fail(keen)


def test_nothing_half_written(folders, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    stimuli = find_stimuli(folders[:2], 0)
    (tmp_path / "keen_net" / "image_two.png").write_bytes(
        (tmp_path / "keen_net" / "image_two.png").read_bytes()[:99]
    )
    with pytest.raises(InputError, match=r"two\.png"):
        make_page(stimuli, out / "rate.html")
    assert list(out.iterdir()) == []
    stimuli = find_stimuli(folders[:1], 0)
    with pytest.raises(InputError, match="cannot be written"):
        make_page(stimuli, out / "none" / "rate.html")
    with pytest.raises(InputError, match=r"written as \.html"):
        make_page(stimuli, out / "rate.json")
    (out / "rate.key.json").write_text("precious")
    with pytest.raises(InputError, match=r"rate\.key\.json: exists"):
        make_page(stimuli, out / "rate.html")
    assert [file.name for file in out.iterdir()] == ["rate.key.json"]
