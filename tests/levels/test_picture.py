"""The pictures of the rooms: the same rooms in the same places at every level, each as the step made it."""

import re
from pathlib import Path

import pytest

from shared.levels import picture
from shared.levels.manifest import Step, read_arrows, read_rooms, read_steps

from ..conftest import ROOT

LEVELS = sorted(path for path in ROOT.glob("level[0-9]_*"))
NODE = re.compile(r"^  (\w+)\[\w+\]:::(\w+)$", re.MULTILINE)


def states(level: Path) -> dict[str, str]:
    return dict(NODE.findall(picture.picture(level)))


def layout(level: Path) -> list[str]:
    """Return the lines that say what stands where, without how it looks."""
    lines = picture.picture(level).splitlines()
    return [line.partition(":::")[0] for line in lines if "[" in line or "-->" in line]


def test_the_pictures_line_up() -> None:
    assert {tuple(layout(level)) for level in LEVELS} == {tuple(layout(LEVELS[0]))}
    assert set(states(LEVELS[0])) == {"notebook", *read_arrows("level")}


@pytest.mark.parametrize("step", read_steps(), ids=lambda step: step.above)
def test_a_room_looks_as_the_step_made_it(step: Step) -> None:
    shown = states(ROOT / step.above)
    listed = {room.room: room.change for room in step.rooms if room.room != "top"}
    assert {room: state for room, state in shown.items() if room in listed} == listed
    assert {state for room, state in shown.items() if room not in listed | {"notebook": ""}} <= {"absent"}


def test_the_table_has_every_room_with_what_each_step_makes_of_it() -> None:
    assert set(read_rooms()) == set(read_arrows("level"))
    table = picture.overview()
    for step in read_steps():
        for room in step.rooms:
            column = step.above.partition("_")[0].removeprefix("level")
            assert room.room == "top" or cell(table, room.room, column) == picture.WORDS[room.change]


def cell(table: str, room: str, level: str) -> str:
    """Return what the table has about a room at a level."""
    head, _, *rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    (row,) = [row for row in rows if row[0] == f"`{room}/`"]
    return row[head.index(f"level {level}")]


def test_every_readme_has_its_picture() -> None:
    shown = picture.documents()
    assert set(shown) == {folder.relative_to(ROOT) / "README.md" for folder in [ROOT, *LEVELS]}
    for path, text in shown.items():
        assert text == (ROOT / path).read_text(), f"{path} is stale: make diffs"
