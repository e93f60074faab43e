"""Lessons: each step in chapters, from the levels as they are and the prose beside them (docs/lessons).

A line of the prose in braces stands for something of the levels: `{diff serving/app.py}` for a change, `{code
delivery/promotion.py promote}` for a new function, `{cell 7}` for a cell of the notebook below, `{run 2 make
models LEVEL=2}` for a command with what it printed, `{break}` for the edit that tests notice, `{criteria VAL-01}`
for answers of the matrix, `{year human steps; AUC}` for rows of the scoreboard.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..base import ROOT, StageError
from ..markdown import table
from . import breaks, evidence, exercises, recording
from .diffs import FOLDER as DIFFS
from .diffs import differences, fenced
from .manifest import PROSE, File, Step, number, read_steps
from .working_copy import in_words

PAGES = Path("docs", "steps")
TOUR = "tour"
MOST_LINES = 250  # shown in a chapter
LINES_A_MINUTE, WORDS_A_MINUTE = 12, 180
DIRECTIVE = re.compile(r"^\{(\w+) ?(.*)\}$", re.MULTILINE)
HUNK = re.compile(r"^@@ .*?@@ ?(.*)$", re.MULTILINE)
BLOCK = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
KINDS = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".conf": "ini"}


@dataclass(frozen=True)
class Lesson:
    """The tour of a step, or one of its chapters."""

    step: Step
    source: Path
    root: Path
    changes: Mapping[str, str]  # the diff of each file of the step

    @property
    def id(self) -> str:
        """Return the name that docs/levels.yaml has for it."""
        return self.source.stem.partition("-")[2] or self.source.stem

    @cached_property
    def prose(self) -> str:
        """Return the source."""
        return self.source.read_text()

    @property
    def title(self) -> str:
        """Return its heading."""
        return self.prose.partition("\n")[0].removeprefix("# ")

    @property
    def needs(self) -> str:
        """Say which levels its commands are run in; empty if it has none."""
        found = sorted({level for level, _ in recording.RUN.findall(self.prose)})
        up = " and ".join(f"`make level{level} DAYS={recording.DAYS}`" for level in found)
        apart = ", each in a terminal of its own" if len(found) > 1 else " in another terminal"
        return f"*Its commands need {up}{apart}; with an `OFFSET`, add it to the ports.*\n\n" if found else ""

    @property
    def files(self) -> list[File]:
        """Return the files of a chapter, in reading order."""
        return [file for file in self.step.files if file.chapter == self.id]

    @cached_property
    def text(self) -> str:
        """Return the page.

        Raises:
            StageError: a line in braces names something that is not there.
        """
        return DIRECTIVE.sub(self._expanded, self.prose).rstrip("\n") + "\n"

    def _expanded(self, directive: "re.Match[str]") -> str:
        kinds: dict[str, Callable[..., str]] = {
            "diff": self._diff,
            "code": self._code,
            "cell": self._cell,
            "cells": self._cells,
            "promises": self._promises,
            "files": self._files,
            "run": self._run,
            "break": self._break,
            "criteria": self._criteria,
            "year": self._year,
        }
        try:
            return kinds[directive[1]](*(directive[2].split(" ") if directive[2] else []))
        except (KeyError, IndexError, OSError, TypeError) as error:
            raise StageError(f"{self.source}: {directive[0]}, {error!r}") from error

    def _diff(self, file: str, *where: str) -> str:
        """Show how a file changes; where names are given, only the parts that they occur in."""
        hunks = re.split(r"^(?=@@ )", self.changes[file], flags=re.MULTILINE)[1:]
        shown = [hunk for hunk in hunks if not where or any(name in hunk for name in where)]
        if not shown:
            raise KeyError(f"no part of the change in {file} has {' or '.join(where)}")
        body = HUNK.sub(lambda head: f"@@ {head[1]}".rstrip(), "".join(shown))
        return f"`{file}` changes:\n\n{fenced(body)}"

    def _code(self, file: str, *names: str) -> str:
        """Show a file of the level above, or some of its functions and classes."""
        text = (self.root / self.step.above / file).read_text()
        kind = KINDS.get(Path(file).suffix, "")
        parts = [part_of(text, name) for name in names] or [text.rstrip("\n")]
        code = ("\n\n\n" if any("\n" in part for part in parts) else "\n").join(parts)
        return f"`{file}`:\n\n```{kind}\n{code}\n```"

    def _cell(self, index: str) -> str:
        """Show a cell of the notebook below."""
        return f"Cell {index} of the notebook:\n\n```python\n{self._code_cells()[int(index) - 1]}\n```"

    def _cells(self) -> str:
        """List the cells of the notebook below beside what became of each: its title names the module."""
        rows = []
        for index, cell in enumerate(self._code_cells(), start=1):
            title = cell.partition("\n")[0].removeprefix("# ")
            there = (self.root / self.step.above / title).is_file()
            rows.append([str(index), title, f"`{title}`" if there else "no module"])
        return table(["cell", "its title", f"at level {number(self.step.above)}"], rows)

    def _code_cells(self) -> list[str]:
        notebook = json.loads((self.root / self.step.below / "flight_delays.ipynb").read_text())
        return ["".join(cell["source"]).rstrip() for cell in notebook["cells"] if cell["cell_type"] == "code"]

    def _run(self, level: str, *words: str) -> str:
        """Show a command, and what it printed."""
        command = " ".join(words)
        printed = recording.output_of(int(level), command, self.root)
        return f"```sh\n{command}\n```\n\n```text\n{printed}\n```" if printed else f"```sh\n{command}\n```"

    def _break(self) -> str:
        """Show an edit, and the tests that notice it."""
        this = breaks.read_breaks(self.root)[self.source.parent.name, self.source.stem]
        return this.shown(self.root / self.step.above)

    def _criteria(self, *names: str) -> str:
        """Show what the matrix says of both levels."""
        return evidence.verdicts(list(names), number(self.step.below), number(self.step.above), self.root)

    def _year(self, *words: str) -> str:
        """Show rows of the scoreboard, whose names stand between semicolons."""
        rows = [row.strip() for row in " ".join(words).split(";")]
        return evidence.year(rows, number(self.step.below), number(self.step.above), self.root)

    def _promises(self) -> str:
        """Say what the tests of this chapter hold, in the words of their names."""
        lines = []
        for file in self.files:
            path = self.root / self.step.above / file.file
            if path.name.startswith("test_") and path.exists():
                names = re.findall(r"^def test_(\w+)", path.read_text(), re.MULTILINE)
                lines += [f"- {in_words(name)}" for name in names]
        return "\n".join(["<details><summary>What the tests hold</summary>\n", *lines, "\n</details>"])

    def _files(self) -> str:
        """List the files of this chapter; those that it does not show are a click away."""
        up = "../" * len(PAGES.joinpath("x").parts)
        rows = [
            [f"[{file.file}]({up}{self._side(file)}/{file.file})", file.change, file.why] for file in self.files
        ]
        return table(["file", "", "why"], rows)

    def _side(self, file: File) -> str:
        return self.step.below if file.change == "removed" else self.step.above

    @property
    def lines(self) -> int:
        """Return how many lines of code it shows."""
        return sum(block[3].count("\n") for block in BLOCK.finditer(self.text) if block[2] != "mermaid")

    @property
    def minutes(self) -> int:
        """Return how long it takes to read, by its words and its lines of code."""
        words = len(BLOCK.sub("", self.text).split())
        return round(words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE)


def part_of(text: str, name: str) -> str:
    """Return the source of a function, class or method (`Class.method`), with its decorators."""
    node: ast.Module | ast.stmt = ast.parse(text)
    for part in name.split("."):
        found: list[ast.stmt] = [each for each in getattr(node, "body", []) if part in _names(each)]
        if not found:
            raise KeyError(f"there is no {name}")
        node = found[0]
    assert isinstance(node, ast.stmt)  # noqa: S101 - a name has at least one part
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in getattr(target, "elts", [target])]
        return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def read_lessons(root: Path = ROOT) -> dict[str, list[Lesson]]:
    """Return the lessons of each step that has any, by its name (`2-3`): the tour, then the chapters."""
    lessons = {}
    for step in read_steps(root):
        name = f"{number(step.below)}-{number(step.above)}"
        sources = sorted((root / PROSE / name).glob("*.md"), key=lambda path: (path.stem != TOUR, path.name))
        if sources:
            changes = {file.file: diff for file, diff in differences(step, root)}
            lessons[name] = [Lesson(step, source, root, changes) for source in sources]
    return lessons


def documents(steps: Mapping[str, list[Lesson]]) -> dict[Path, str]:
    """Return the pages of the lessons of each step, by path."""
    pages, all_exercises = {}, list(exercises.read_exercises().values())
    for name, lessons in steps.items():
        tour, chapters = lessons[0], lessons[1:]
        folder = PAGES / name
        pages[folder / "README.md"] = f"{tour.text}\n{contents(name, tour, chapters)}"
        for lesson, following in zip(chapters, [*chapters[1:], None], strict=True):
            on = f"Next: [{following.title}]({following.source.name}) · " if following else ""
            own = [each for each in all_exercises if each.chapter == f"{name}/{lesson.source.stem}"]
            title, _, body = lesson.text.partition("\n\n")
            page = f"{title}\n\n{lesson.needs}{body}\n{listed(own)}{on}[all of this step](README.md)\n"
            pages[folder / lesson.source.name] = page
    return pages


def listed(own: Sequence[exercises.Exercise]) -> str:
    """Return a list of the exercises of a chapter."""
    lines = [f"- `make exercise N={each.number}`: {each.title}" for each in own]
    return "\n".join(["**Exercises**\n", *lines, "\n"]) if lines else ""


def contents(name: str, tour: Lesson, chapters: list[Lesson]) -> str:
    """Return the table of contents of a step."""
    rows = [[f"[{each.title}]({each.source.name})", str(each.minutes), str(each.lines)] for each in chapters]
    rows.append([f"[the whole diff](../../{DIFFS.relative_to('docs')}/{name}.md)", "", ""])
    up = [f"`make level{number(level)} DAYS={recording.DAYS}`" for level in (tour.step.below, tour.step.above)]
    head = (
        f"## Chapters\n\nThis tour takes {tour.minutes} minutes. Commands that stand with what they printed were\n"
        f"run in stages of {' and '.join(up)}, on their usual ports and in the order of the\n"
        "chapters; numbers of commits, runs and packages differ from stage to stage."
    )
    return f"{head}\n\n{table(['chapter', 'minutes', 'lines of code'], rows)}\n"
