"""The page of the plane in a browser, whose letters are not those the labels were placed by."""

from jaxsr.report.plane import Plane, page
from jaxsr.report.published import published_points
from jaxsr.report.results import Point


def test_the_page(browser, tmp_path):
    points = [Point("a" * 12, 11.0, 5.0), Point("W" * 12, 11.2, 5.1)]
    path = tmp_path / "plane.html"
    path.write_text(
        page(Plane("PIRM", "rmse", "pi", points, (), published_points("", "rmse", "pi")))
    )
    driver = browser(path, width=390, height=800)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    drawing = driver.find_element("css selector", "svg")
    assert drawing.get_attribute("aria-label") == "Perceptual Index and RMSE on PIRM"
    assert len(driver.find_elements("css selector", "tbody tr")) == 8
    pairs = driver.execute_script("""
        const texts = [...document.querySelectorAll("svg text")];
        const boxes = texts.map(text => text.getBoundingClientRect());
        return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            Math.min(a.right, b.right) > Math.max(a.left, b.left) + 1 &&
            Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top) + 1)).length;""")
    assert pairs == 0
