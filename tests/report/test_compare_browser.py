"""The page in a browser: what a person does with it, by hand and by keyboard."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxsr.cli.main import main
from jaxsr.image.io import Picture, write_image

SIDE = 64
WRONG = (20, 12)  # the row and column of the one pixel of `b` that differs from HR


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Columns LR, a, b, HR of two images; a is HR but 8 brighter, b is HR but for one pixel."""
    folder = tmp_path_factory.mktemp("page")
    hr = np.full((SIDE, SIDE, 3), (60, 90, 120), np.uint8)
    spot = hr.copy()
    spot[WRONG] += 64
    pictures = {"LR": hr[::4, ::4], "a": hr + np.uint8(8), "b": spot, "HR": hr}
    for name, pixels in pictures.items():
        (folder / name).mkdir()
        write_image(folder / name / "first.png", Picture(pixels))
        write_image(folder / name / "second.png", Picture(pixels[..., ::-1].copy()))
    out = folder / "page.html"
    inputs = [str(folder / name) for name in pictures]
    assert main(["compare", *inputs, "-o", str(out)]) == 0
    return out


@pytest.fixture
def opened(browser, page):
    """`opened(width)`: the page, when its pictures have been decoded."""

    def open_page(**size):
        driver = browser(page, **size)
        settle(driver)
        return driver

    return open_page


def settle(driver):
    """Waits until every picture of the page is decoded."""
    driver.set_script_timeout(10)
    driver.execute_async_script("""
        const done = arguments[0];
        (function wait() {
            const images = [...document.images];
            if (images.length && images.every(i => i.complete && i.naturalWidth)) done();
            else setTimeout(wait, 10);
        })();""")


def find(driver, selector):
    return driver.find_element("css selector", selector)


def alts(driver, where="#grid"):
    return [i.get_attribute("alt") for i in driver.find_elements("css selector", f"{where} img")]


def colours(driver, selector):
    """What is seen of an element, uint8 [H, W, 3]."""
    element = find(driver, selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    png = element.screenshot_as_png
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_pictures_numbers_and_alternatives(opened):
    driver = opened()
    assert driver.title == "LR, a, b, HR"
    first = alts(driver)
    db = 20 * np.log10(255 * 255 / 219 / 8)  # 8 in R, G and B are 8 * 219/255 in luma
    assert first[0] == "LR, first.png" and first[3] == "HR, first.png"
    assert first[1].startswith(f"a, first.png: {db:.2f} dB, SSIM 0.99")
    assert all(alts(driver, "body"))
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    find(driver, "#next").click()
    settle(driver)
    assert alts(driver)[0] == "LR, second.png"
    assert not find(driver, "#next").is_enabled() and find(driver, "#previous").is_enabled()
    find(driver, "#images tr[data-image='0'] button").click()
    settle(driver)
    assert alts(driver) == first


def test_the_slider(opened):
    """Left of it HR is seen, right of it `a`, which is brighter."""
    driver = opened()
    driver.execute_script("document.activeElement.blur()")
    for side, label in (("left", "HR"), ("right", "a")):
        find(driver, f"#{side} option:nth-child({['LR', 'a', 'b', 'HR'].index(label) + 1})").click()
    settle(driver)

    def edge():
        """Where the picture becomes brighter, in percent of the frame."""
        row = colours(driver, "#frame")[10, :, 0]
        assert row[3] == 60 and row[-3] == 68
        return 100 * np.flatnonzero(row == 68)[0] / len(row)

    assert edge() == pytest.approx(50, abs=1)
    slider = find(driver, "#slider")
    slider.send_keys(40 * "\ue014")  # the right arrow, half a percent each
    assert edge() == pytest.approx(70, abs=1)
    from selenium.webdriver import ActionChains

    frame = find(driver, "#frame")
    width = frame.size["width"]
    hand = ActionChains(driver).move_to_element_with_offset(frame, int(0.2 * width), 0)
    hand.click_and_hold().move_by_offset(int(-0.45 * width), 0).release().perform()
    assert edge() == pytest.approx(25, abs=1)
    assert float(slider.get_property("value")) == pytest.approx(25, abs=1)


def test_all_zoom_and_move_together(opened):
    """Where the wheel was turned, the same is seen in the large picture and in the small ones."""
    driver = opened()
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    frame = find(driver, "#frame")
    side = frame.size["width"]
    at = [int((n + 0.5) / SIDE * side - side / 2) for n in (WRONG[1], WRONG[0])]
    wheel = ScrollOrigin.from_element(frame, *at)
    ActionChains(driver).scroll_from_origin(wheel, 0, -1000).perform()

    def views():
        return driver.execute_script(
            "return [...document.querySelectorAll('.pane img')].map(i => { const p ="
            " i.closest('.pane').getBoundingClientRect(), b = i.getBoundingClientRect(); return"
            " [(b.left - p.left) / p.width, (b.top - p.top) / p.height, b.width / p.width]; })"
        )

    zoomed = np.asarray(views())
    assert zoomed.shape == (6, 3)  # two pictures above each other, four small ones
    np.testing.assert_allclose(zoomed - zoomed[:1], 0, atol=0.02)
    z = np.exp(1000 / 400)
    want = [-(z - 1) * (n + 0.5) / SIDE for n in (WRONG[1], WRONG[0])]
    np.testing.assert_allclose(zoomed[0], [*want, z], atol=0.1)
    # A pixel is 12.2 / 64 of the pane: the wrong one lies where the wheel was turned.
    small = colours(driver, "#grid figure:nth-child(3) .pane")
    place = [int((n + 0.5) / SIDE * small.shape[0]) for n in WRONG]
    assert tuple(small[*place]) == (124, 154, 184)
    frame.send_keys("\ue014")  # the right arrow: a tenth of the pane
    moved = np.asarray(views())
    np.testing.assert_allclose(moved - zoomed, np.array([[-0.1, 0, 0]] * 6), atol=0.01)
    ActionChains(driver).drag_and_drop_by_offset(find(driver, "#grid .pane"), 30, 20).perform()
    dragged = np.asarray(views())
    assert (dragged[:, :2] > moved[:, :2] + 0.02).all()
    find(driver, "#fit").click()
    np.testing.assert_allclose(views(), np.array([[0.0, 0.0, 1.0]] * 6), atol=1e-3)
    frame.send_keys("+")
    assert views()[0][2] == pytest.approx(1.5, abs=1e-3)


def test_error_maps(opened):
    driver = opened()
    find(driver, "#errors").click()
    settle(driver)
    assert alts(driver)[2].startswith("Error map of b against HR, first.png: ")
    assert alts(driver)[3] == "HR, first.png"
    small = colours(driver, "#grid figure:nth-child(3) .pane")
    place = [int((n + 0.5) / SIDE * small.shape[0]) for n in WRONG]
    assert tuple(small[*place]) == (252, 255, 164)  # 64 levels: more than the scale has
    assert tuple(small[2, 2]) == (0, 0, 4)
    # 8 levels are 6.87 in luma; 6.87 / 32 of the scale lie between its first two colours.
    part = 8 * 219 / 255 / 32 * 4
    want = np.array([0, 0, 4]) * (1 - part) + np.array([87, 16, 110]) * part
    np.testing.assert_allclose(
        colours(driver, "#grid figure:nth-child(2) .pane")[5, 5], want, atol=1
    )
    assert find(driver, "#legend").is_displayed()


def test_tables_sort(opened):
    driver = opened()

    def names(table):
        cells = driver.find_elements("css selector", f"#{table} tbody td:first-child")
        return [cell.text for cell in cells]

    def click(table, column):
        find(driver, f"#{table} th:nth-child({column}) button").click()
        return find(driver, f"#{table} th:nth-child({column})").get_attribute("aria-sort")

    assert names("means") == ["a", "b"]
    assert click("means", 2) == "descending" and names("means") == ["b", "a"]  # the best first
    assert click("means", 2) == "ascending" and names("means") == ["a", "b"]
    assert click("means", 1) == "ascending" and names("means") == ["a", "b"]
    assert click("images", 1) == "ascending" and click("images", 1) == "descending"
    assert names("images") == ["second.png", "first.png"]


def test_a_phone(opened):
    driver = opened(width=360, height=740)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 360
    assert find(driver, "#frame").size["width"] > 320
    for button in driver.find_elements("css selector", ".bar button, .bar select"):
        assert button.size["height"] >= 32 and button.rect["x"] + button.size["width"] <= 360


def test_two_fingers(opened):
    """They go from 60 to 120 pixels apart: twice as large, and what was between them stays."""
    driver = opened(width=360, height=740)
    frame = find(driver, "#frame")
    driver.execute_script("arguments[0].scrollIntoView()", frame)
    box = driver.execute_script("return arguments[0].getBoundingClientRect().toJSON()", frame)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(kind, *halves):
        points = [{"x": x + half, "y": y, "id": i} for i, half in enumerate(halves)]
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -30, 30)
    for half in (40, 50, 60):
        touch("touchMove", -half, half)
    touch("touchEnd")
    left, top, z = driver.execute_script(
        "const p = frame.getBoundingClientRect(), b = frame.querySelector('img')"
        ".getBoundingClientRect(); return [(b.left - p.left) / p.width, (b.top - p.top) / p.height,"
        " b.width / p.width];"
    )
    assert z == pytest.approx(2, abs=0.02)
    assert (left, top) == pytest.approx((-0.5, -0.5), abs=0.03)
    assert float(find(driver, "#slider").get_property("value")) == 50
