"""What lessons quote of the scoreboard and of the matrix, as both are committed."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from ..base import ROOT
from ..markdown import table

ASSESSMENT, SCOREBOARD = Path("docs", "assessment.json"), Path("docs", "scoreboard.md")
ANSWERS = {"PRESENT": "yes", "ABSENT": "no", "MANUAL": "by people", "ERROR": "error", "UNPROBED": "not probed"}
HIGHEST = "4"  # level: what it lacks is nothing to wish for
UP = "../.."  # from the pages of a step to docs


@cache
def criteria(path: Path) -> dict[str, dict[str, Any]]:
    """Return what the assessment found, by criterion."""
    return {each["id"]: each for each in json.loads(path.read_text())["criteria"]}


def changed(below: str, above: str, root: Path = ROOT) -> list[str]:
    """Return the criteria whose answers differ between two levels, named by their numbers."""
    found = criteria(root / ASSESSMENT)
    return [name for name, each in found.items() if each["answers"][below] != each["answers"][above]]


def verdicts(names: list[str], below: str, above: str, root: Path = ROOT) -> str:
    """Return a table of criteria, with the answers of two levels.

    Raises:
        KeyError: there is no such criterion.
    """
    found, rows = criteria(root / ASSESSMENT), []
    for name in names:
        answers = [_linked(name, level, found[name]["answers"][level]) for level in (below, above)]
        better = " (the better answer is no)" if found[name]["answers"][HIGHEST] == "ABSENT" else ""
        rows.append([f"{name}: {found[name]['statement']}{better}", *answers])
    return table(["what is tested", f"level {below}", f"level {above}"], rows)


def in_words(answer: str) -> str:
    """Return an answer of the matrix in words."""
    return ANSWERS[answer]


def _linked(name: str, level: str, answer: str) -> str:
    return f"[{ANSWERS[answer]}]({UP}/evidence/level{level}.md#{name.lower()})"


def year(names: list[str], below: str, above: str, root: Path = ROOT) -> str:
    """Return rows of the scoreboard, named by their first cells, for two levels.

    Raises:
        KeyError: the scoreboard has no such row.
    """
    known = rows(root / SCOREBOARD)
    body = [[row, *(known[row][int(level)] for level in (below, above))] for row in names]
    head = [f"[the year]({UP}/scoreboard.md), with people / without", f"level {below}", f"level {above}"]
    return table(head, body)


@cache
def rows(path: Path) -> dict[str, list[str]]:
    """Return the cells of each row of the tables that have a column for each level; the first of a name."""
    rows: dict[str, list[str]] = {}
    inside = False
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        inside = line.startswith("|") and (inside or cells[1:2] == ["level 0"])
        if inside:
            rows.setdefault(cells[0], cells[1:])
    return rows
