"""The lessons: every file of a step is in one chapter, no chapter is too long, and what they show is there."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared.base import StageError, levels
from shared.levels import evidence
from shared.levels.lessons import MOST_LINES, PAGES, TOUR, Lesson, documents, part_of, read_lessons
from shared.levels.manifest import Step, number, read_steps
from shared.levels.recording import RUN, commands_of, in_shape, output_of

from ..conftest import ROOT

LESSONS = read_lessons()
CHAPTERS = [lesson for lessons in LESSONS.values() for lesson in lessons if lesson.id != TOUR]
TOURS = [lesson for lessons in LESSONS.values() for lesson in lessons if lesson.id == TOUR]
PLUMBING = "plumbing"
LONGEST_DOCUMENT = 250  # lines
MOST_PRINTED, WIDEST = 24, 160  # lines and characters of an output
name_of = lambda lesson: str(lesson.source.relative_to(ROOT / "docs/lessons"))  # noqa: E731


def test_every_step_has_a_tour_and_chapters_and_plumbing_comes_last() -> None:
    assert list(LESSONS) == [f"{number(step.below)}-{number(step.above)}" for step in read_steps()]
    for lessons in LESSONS.values():
        assert lessons[0].id == TOUR
        assert lessons[-1].id == PLUMBING


@pytest.mark.parametrize("step", read_steps(), ids=lambda step: f"{step.below} to {step.above}")
def test_every_file_of_a_step_is_in_a_chapter_that_exists(step: Step) -> None:
    name = f"{number(step.below)}-{number(step.above)}"
    chapters = {lesson.id for lesson in LESSONS[name]} - {TOUR}
    assert {file.chapter for file in step.files} == chapters


@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_no_chapter_shows_too_much(chapter: Lesson) -> None:
    assert 0 < chapter.lines <= MOST_LINES


@pytest.mark.parametrize("tour", TOURS, ids=name_of)
def test_a_tour_takes_a_quarter_of_an_hour(tour: Lesson) -> None:
    assert tour.lines <= 130
    assert tour.minutes <= 15


@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_what_changes_in_a_known_file_is_shown_before_new_code(chapter: Lesson) -> None:
    shown = [directive[1] for directive in re.finditer(r"^\{diff ([^\s}]+)", chapter.prose, re.MULTILINE)]
    changed = [
        file.file
        for file in chapter.files
        if file.change == "changed" and not file.file.startswith(("tests/", "README")) and file.file != NOTEBOOK
    ]
    small = {"events.py", "errors.py"}  # their new names speak for themselves in the whole diff
    assert set(changed) - small <= set(shown)


NOTEBOOK = "flight_delays.ipynb"


@pytest.mark.parametrize("chapter", [each for each in CHAPTERS if each.id != PLUMBING], ids=name_of)
def test_a_chapter_asks_three_questions_and_gives_something_to_try(chapter: Lesson) -> None:
    assert chapter.prose.count("<details><summary>") == 3
    for part in (
        "**The problem.**",
        "**The idea.**",
        "**Try it.**",
        "**Break it.**",
        "```mermaid",
        "{promises}",
        "{files}",
    ):
        assert part in chapter.prose


@pytest.mark.parametrize("chapter", [each for each in CHAPTERS if each.id != PLUMBING], ids=name_of)
def test_a_chapter_runs_commands_at_both_levels_and_breaks_something(chapter: Lesson) -> None:
    run = {run[1] for run in RUN.finditer(chapter.prose)}
    assert run == {number(chapter.step.below), number(chapter.step.above)}
    assert chapter.prose.count("\n{break}\n") == 1


@pytest.mark.parametrize("step", read_steps(), ids=lambda step: f"{step.below} to {step.above}")
def test_every_answer_of_the_matrix_that_changes_is_in_one_chapter(step: Step) -> None:
    below, above = number(step.below), number(step.above)
    prose = "\n".join(lesson.prose for lesson in LESSONS[f"{below}-{above}"] if lesson.id != TOUR)
    quoted = " ".join(re.findall(r"^\{criteria (.*)\}$", prose, re.MULTILINE)).split()
    assert sorted(quoted) == sorted(evidence.changed(below, above))


@pytest.mark.parametrize("level", sorted(levels()))
def test_every_command_is_recorded_and_prints_what_a_page_has_room_for(level: int) -> None:
    for command in commands_of(level):
        lines = output_of(level, command).splitlines()
        assert len(lines) <= MOST_PRINTED
        assert max(map(len, lines), default=0) <= WIDEST, command


def test_outputs_that_differ_in_numbers_and_hashes_only_have_one_shape() -> None:
    first = "2026-11-30T04:23:22Z  version 1@3c3b7708016e  became champion"
    assert in_shape(first) == in_shape("2026-12-01T15:00:41Z version 2@c5daa1d4cbb0 became champion")
    assert in_shape(first) != in_shape(first.replace("champion", "challenger"))


def test_every_document_written_by_hand_is_short() -> None:
    by_hand = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/lessons").rglob("*.md")]
    for document in [*by_hand, *ROOT.glob("level*/README.md")]:
        assert len(document.read_text().splitlines()) < LONGEST_DOCUMENT, document


def test_nothing_else_is_among_the_pages() -> None:
    written = {str(path) for path in documents(LESSONS)}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / PAGES).rglob("*.md")} == written


def test_a_page_shows_code_as_it_is_in_the_level() -> None:
    page = documents(LESSONS)[PAGES / "2-3" / "7-experiment.md"]
    assert part_of((ROOT / "level3_deployment/delivery/experiment.py").read_text(), "verdict_of") in page
    assert "- requests of several threads are all logged" in documents(LESSONS)[PAGES / "2-3" / "6-serve.md"]


@pytest.mark.parametrize("line", ["{code serving/app.py nothing_like_it}", "{code nowhere.py}", "{sing}"])
def test_a_line_that_names_nothing_is_refused(tmp_path: Path, line: str) -> None:
    source = tmp_path / "tour.md"
    source.write_text(f"# Title\n\n{line}\n")
    lesson = replace(TOURS[0], source=source)
    with pytest.raises(StageError, match=re.escape(line)):
        _ = lesson.text
