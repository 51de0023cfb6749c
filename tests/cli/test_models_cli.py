"""`jaxsr models`: the table and its JSON."""

import json

import pytest

from jaxsr.cli.main import main
from jaxsr.models import model_names


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
        assert isinstance(row["year"], int)
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
    (row,) = [row for row in table if row["name"] == "bicubic"]
    assert set(row["params"].values()) == {0}


def test_the_table_lines_up(capsys, table):
    assert main(["models"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(row["params"]) for row in table)
    assert {len(line) for line in lines} == {len(head)}
    assert [line.split()[0] for line in lines if line[0] != " "] == list(model_names())
    assert sum("21,284" in line for line in lines) == 1
