"""`jaxsr models`: the table, the cards, its JSON and the documentation's page."""

import json
from pathlib import Path

import pytest

from jaxsr.cli.main import main
from jaxsr.errors import InputError
from jaxsr.models import model_names

NO_PAPER = {"nearest", "bilinear"}
INTERPOLATION = {*NO_PAPER, "bicubic", "lanczos"}

KEYS = [
    *("name", "title", "year", "url", "upsampling", "colour", "any_scale"),
    *("params", "mult_adds", "recipe", "published", "note"),
]


@pytest.fixture(scope="module")
def table():
    from jaxsr.cli.models import describe

    return describe()


@pytest.fixture(autouse=True)
def described_once(monkeypatch, table):
    def chosen(names=()):
        return [row for row in table if not names or row["name"] in names]

    monkeypatch.setattr("jaxsr.cli.models.describe", chosen)


def test_json(capsys):
    assert main(["models", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in printed] == list(model_names())
    for row in printed:
        assert list(row) == KEYS
        assert row["year"] is None if row["name"] in NO_PAPER else isinstance(row["year"], int)
        assert row["params"].keys() == row["mult_adds"].keys() != set()
        assert all(scale.isdecimal() for scale in row["params"])
        assert all(type(n) is int for n in [*row["params"].values(), *row["mult_adds"].values()])


def test_numbers_of_espcn(table):
    """64 5x5, 32 3x3 and r^2 3x3 filters with biases, all on LR pixels."""
    (row,) = [row for row in table if row["name"] == "espcn"]
    assert row["params"] == {"2": 21284, "3": 22729, "4": 24752}
    for scale, mult_adds in row["mult_adds"].items():
        r = int(scale)
        taps = 25 * 64 + 9 * 64 * 32 + 9 * 32 * r * r
        assert mult_adds == round(taps * 1280 * 720 / (r * r))


def test_interpolation_has_no_parameters(table):
    for row in table:
        if row["name"] in INTERPOLATION:
            assert row["params"] == row["mult_adds"] == {"2": 0, "3": 0, "4": 0}


def test_every_network_has_a_whole_card(table):
    for row in table:
        if row["name"] not in INTERPOLATION:
            assert row["url"].startswith("https://") and row["recipe"], row["name"]
        for scale, scores in row["published"].items():
            assert scale in row["params"]
            psnrs = [score["psnr"] for score in scores.values()]
            ssims = [score["ssim"] or 0.8 for score in scores.values()]
            assert all(20 < psnr < 40 for psnr in psnrs) and all(0.5 < s < 1 for s in ssims)


def test_up_sampling_is_told_in_the_same_words(table):
    told = {row["name"]: row["upsampling"] for row in table}
    assert told["lapsrn"] == "progressive: transposed conv" and told["pan"] == "end: nearest + conv"
    assert set(told.values()) == {
        "interpolation",
        "before: bicubic",
        "end: sub-pixel",
        "end: transposed conv",
        "end: nearest + conv",
        "progressive: transposed conv",
        "back-projection",
    }


def test_a_card(capsys):
    """The paper's figures, as [RCAN]'s table prints them."""
    assert main(["models", "edsr"]) == 0
    card = capsys.readouterr().out
    assert card.startswith("edsr: Enhanced Deep Residual Networks")
    assert "43,089,923 parameters   2,894.5 G" in card
    assert "Set5 32.46/.8968, Set14 28.80/.7876" in card
    assert max(map(len, card.splitlines())) <= 100


def test_an_unknown_name(monkeypatch, capsys):
    monkeypatch.undo()
    with pytest.raises(InputError, match="unknown model 'edrs'; did you mean 'edsr'"):
        main(["models", "edrs"])


def test_the_page_of_the_documentation_is_current(capsys):
    assert main(["models", "--markdown"]) == 0
    page = Path(__file__).parents[2] / "docs" / "models.md"
    assert page.read_text() == capsys.readouterr().out, (
        "run: jaxsr models --markdown > docs/models.md"
    )


def test_the_table_lines_up(capsys, table):
    assert main(["models"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert len(head) <= 100
    networks = [row for row in table if row["name"] not in INTERPOLATION]
    assert len(lines) == len(INTERPOLATION) + sum(len(row["params"]) for row in networks)
    assert {len(line) for line in lines} == {len(head)}
    assert [line.split()[0] for line in lines if line[0] != " "] == list(model_names())
    assert sum("21,284" in line for line in lines) == 1
    (rcan,) = [line for line in lines if "15,444,643" in line]
    assert rcan.split()[-3:] == ["15,444,643", "3,526.8", "38.27"]
    for line in lines[:4]:
        name, year, *_, scale, parameters, mult_adds, psnr = line.split()
        assert (scale, parameters, mult_adds, psnr) == ("any", "0", "0.0", "-")
        assert year == {"bicubic": "1981", "lanczos": "1979"}.get(name, "-")
