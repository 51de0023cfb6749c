"""`jaxsr models`: the table and its JSON."""

import json

import pytest

from jaxsr.cli.main import main
from jaxsr.models import model_names

NO_PAPER = {"nearest", "bilinear"}
INTERPOLATION = {*NO_PAPER, "bicubic", "lanczos"}


@pytest.fixture(scope="module")
def table():
    from jaxsr.cli.models import describe

    return describe()


@pytest.fixture(autouse=True)
def described_once(monkeypatch, table):
    monkeypatch.setattr("jaxsr.cli.models.describe", lambda: table)


def test_json(capsys):
    assert main(["models", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in printed] == list(model_names())
    for row in printed:
        assert list(row) == ["name", "title", "year", "url", "upsampling", "params", "mult_adds"]
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


def test_the_table_lines_up(capsys, table):
    assert main(["models"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    networks = [row for row in table if row["name"] not in INTERPOLATION]
    assert len(lines) == len(INTERPOLATION) + sum(len(row["params"]) for row in networks)
    assert {len(line) for line in lines} == {len(head)}
    assert [line.split()[0] for line in lines if line[0] != " "] == list(model_names())
    assert sum("21,284" in line for line in lines) == 1
    for line in lines[:4]:
        name, year, *_, scale, parameters, mult_adds = line.split()
        assert (scale, parameters, mult_adds) == ("any", "0", "0.0")
        assert year == {"bicubic": "1981", "lanczos": "1979"}.get(name, "-")
