"""The figures of the README: those of the scoreboard, the matrix, the lessons and a fresh clone."""

import json

import pytest

from shared.base import StageError, levels
from shared.levels import evidence, front
from shared.levels.lessons import read_lessons

from ..conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_every_level_has_its_column_with_the_figures_of_the_year() -> None:
    shown = front.levels(read_lessons())
    assert all(f"level {level}" in shown.splitlines()[0] for level in levels())
    for name, row in front.FIGURES.items():
        line = next(line for line in shown.splitlines() if line.startswith(f"| {name} |"))
        known = evidence.rows(ROOT / evidence.SCOREBOARD)[row]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == [cell.partition(" / ")[0] for cell in known]
    assert "Where to stop climbing" in shown


def test_what_the_first_command_takes_is_what_was_measured() -> None:
    fresh = json.loads((ROOT / front.FRESH).read_text())
    assert f"takes {fresh['seconds']} seconds and {fresh['megabytes']:,} MB" in README
    assert "Serving until Ctrl-C." in README


def test_a_place_without_an_end_is_named_and_nothing_lost() -> None:
    with pytest.raises(StageError, match="no <!-- end of run -->: what stands below"):
        front.filled(README.replace(front.PLACES["run"][1], ""), read_lessons())


def test_a_readme_without_a_place_for_figures_stays_as_it_is() -> None:
    assert front.filled("# A project\n", read_lessons()) == "# A project\n"
