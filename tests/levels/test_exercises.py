"""Exercises: each hole is noticed, with a message that helps, and the worked answer fills it."""

from pathlib import Path

import pytest

from shared import base
from shared.base import StageError
from shared.levels.exercises import (
    Exercise,
    Hole,
    begin,
    check,
    exercise,
    listed,
    read_exercises,
    solution,
    with_hole,
)
from shared.levels.working_copy import Edit

from ..conftest import ROOT, first_of_each

ALL = list(read_exercises().values())
CHAPTERS = {str(path.relative_to(ROOT / "docs/lessons"))[:-3] for path in (ROOT / "docs/lessons").rglob("*.md")}
STEPS = [this.chapter.partition("/")[0] for this in ALL]


@pytest.fixture(autouse=True)
def workspaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(base, "WORKSPACES", tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("this", first_of_each(ALL, STEPS), ids=lambda this: f"{this.number} {this.title}")
def test_the_hole_is_noticed_and_the_worked_answer_fills_it(this: Exercise) -> None:
    begin(this)
    missing = check(this)
    assert missing
    assert not this.holes or any(f"exercise {this.number}: yours to write" in line for line in missing)
    for file in this.files:
        assert solution(this).count(f"+++ worked/{file}") == 1
        (this.folder / this.package / file).write_text(this.worked(file))
    assert check(this) == []
    assert solution(this).startswith("no difference")


@pytest.mark.parametrize("this", ALL, ids=lambda this: str(this.number))
def test_an_exercise_belongs_to_a_chapter_and_has_a_hint(this: Exercise) -> None:
    assert this.chapter in CHAPTERS
    assert this.hint
    assert this.task.strip()


def test_every_step_has_at_least_two_exercises() -> None:
    assert all(STEPS.count(step) >= 2 for step in ("0-1", "1-2", "2-3", "3-4"))


def test_work_that_was_begun_is_not_overwritten() -> None:
    begin(ALL[0])
    with pytest.raises(StageError, match="is there already: go on in it"):
        begin(ALL[0])


def test_what_has_not_been_begun_cannot_be_checked() -> None:
    with pytest.raises(StageError, match="make exercise N=1"):
        check(ALL[0])


@pytest.mark.parametrize("number", ["", "99", "five"])
def test_an_unknown_number_lists_the_exercises(number: str) -> None:
    with pytest.raises(StageError, match=r"N=1 +level 1: Half a file"):
        exercise(number)


def test_the_list_of_exercises_goes_up_the_levels() -> None:
    levels = [int(line.split("level ")[1][0]) for line in listed().splitlines()]
    assert levels == sorted(levels)
    assert len(levels) == len(ALL)


def test_a_hole_that_a_level_no_longer_has_is_named() -> None:
    with pytest.raises(StageError, match=r"a.py does not have once"):
        with_hole("def here():\n    return 1\n", Hole("a.py", "gone"), 1)
    with pytest.raises(StageError, match=r"a.py does not have this once: 'gone'"):
        Edit("a.py", "gone").apply("def here():\n    return 1\n")


def test_the_docstring_of_a_function_stays() -> None:
    text = 'def one() -> int:\n    """Return one."""\n    return 1\n\n\nTWO = 2\n'
    holed = with_hole(text, Hole("a.py", "one"), 7)
    assert '"""Return one."""' in holed
    assert "return 1" not in holed
    assert "exercise 7" in holed
    assert "TWO = 2" in holed
    compile(holed, "a.py", "exec")
