"""Exercises: a working copy of a level with a hole in it, the tests that must turn green, and the worked answer.

They are made from the level itself, so that they cannot drift from it: a function loses its body, or a line is
another one. What an exercise is about is in docs/lessons/exercises.yaml. Files that it gives along, such as tests
that the level does not have, are in a folder named after its number, beside that.
"""

import ast
import difflib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from .. import base
from ..base import ROOT, StageError, levels
from . import working_copy
from .manifest import PROSE
from .working_copy import Edit

SOURCE, GIVEN = PROSE / "exercises.yaml", PROSE / "exercises"
HOLLOW = 'raise NotImplementedError("exercise {number}: yours to write")'


@dataclass(frozen=True)
class Hole:
    """A function that loses its body."""

    file: str
    function: str


@dataclass(frozen=True)
class Mutant:
    """A mistake in the level that the tests of whoever does the exercise must notice."""

    edit: Edit
    what: str


@dataclass(frozen=True)
class Exercise:
    """One exercise."""

    number: int
    level: int
    title: str
    task: str
    tests: list[str]
    hint: str
    chapter: str
    holes: list[Hole] = field(default_factory=list)
    spoiled: list[Edit] = field(default_factory=list)  # what the copy has otherwise than the level
    answer: list[Edit] = field(default_factory=list)  # what the worked answer has otherwise than the level
    mutants: list[Mutant] = field(default_factory=list)

    @property
    def package(self) -> str:
        """Return the folder of its level."""
        return levels()[self.level]

    @property
    def folder(self) -> Path:
        """Return where its working copy is."""
        return base.WORKSPACES / "exercises" / str(self.number)

    @property
    def files(self) -> list[str]:
        """Return the files that it asks for."""
        edited = [edit.file for edit in (*self.spoiled, *self.answer)]
        return list(dict.fromkeys([hole.file for hole in self.holes] + edited))

    @property
    def how(self) -> str:
        """Return in words where to work, and how to run the tests."""
        tests = " ".join(f"{self.package}/tests/{test}" for test in self.tests)
        return (
            f"Work in {shown(self.folder)}/{self.package}, in {' and '.join(self.files)}.\n"
            f"What is missing: make check-exercise N={self.number}. A hint: make hint N={self.number}.\n"
            f"The tests alone, in {shown(self.folder)}: PYTHONPATH=. ../../../.venv/bin/python -m pytest {tests}"
        )

    def begun(self, file: str) -> str:
        """Return a file as the working copy has it at first.

        Raises:
            StageError: the level has no such function or line any more.
        """
        text = self._level(file)
        for hole in self.holes:
            text = with_hole(text, hole, self.number) if hole.file == file else text
        return _edited(text, file, self.spoiled)

    def worked(self, file: str) -> str:
        """Return a file as the worked answer has it."""
        return _edited(self._level(file), file, self.answer)

    def _level(self, file: str) -> str:
        given = ROOT / GIVEN / str(self.number) / file
        return (given if given.exists() else ROOT / self.package / file).read_text()


def _edited(text: str, file: str, edits: list[Edit]) -> str:
    for edit in edits:
        text = edit.apply(text) if edit.file == file else text
    return text


def read_exercises() -> dict[int, Exercise]:
    """Return all exercises by number."""
    found = {}
    for entry in yaml.safe_load((ROOT / SOURCE).read_text()):
        entry["holes"] = [Hole(**hole) for hole in entry.get("holes", [])]
        entry["mutants"] = [
            Mutant(Edit(each["file"], each["find"], each["put"]), each["what"])
            for each in entry.get("mutants", [])
        ]
        for name in ("spoiled", "answer"):
            entry[name] = [Edit(**edit) for edit in entry.get(name, [])]
        found[entry["number"]] = Exercise(**entry)
    return found


def exercise(number: str) -> Exercise:
    """Return an exercise by its number, as it is written on the command line.

    Raises:
        StageError: there is none.
    """
    known = read_exercises()
    if not number.isdigit() or int(number) not in known:
        raise StageError(f"which one? Choose among\n{listed()}")
    return known[int(number)]


def listed() -> str:
    """Return a line for each exercise, by level."""
    ordered = sorted(read_exercises().values(), key=lambda this: (this.level, this.number))
    return "\n".join(f"  N={this.number:<3} level {this.level}: {this.title}" for this in ordered)


def begin(this: Exercise) -> Path:
    """Make the working copy with the hole; return its folder.

    Raises:
        StageError: there is one already, and somebody may have worked on it.
    """
    if this.folder.exists():
        again = f"rm -r {shown(this.folder)}"
        raise StageError(f"{shown(this.folder)} is there already: go on in it, or begin anew after {again}")
    this.folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=this.folder.parent) as part:
        copy = Path(part) / "copy"
        package = working_copy.make(this.package, copy)
        given = ROOT / GIVEN / str(this.number)
        if given.exists():
            shutil.copytree(given, package, dirs_exist_ok=True)
        for file in this.files:
            (package / file).write_text(this.begun(file))
        (copy / "TASK.md").write_text(f"# {this.title}\n\n{this.task}\n{this.how}\n")
        copy.rename(this.folder)
    return this.folder


def with_hole(text: str, hole: Hole, number: int) -> str:
    """Return a source without what an exercise asks for; the docstring of a function stays.

    Raises:
        StageError: the level has no such function any more.
    """
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == hole.function
    ]
    if len(found) != 1:
        raise StageError(f"{hole.file} does not have once the function that exercise {number} asks for")
    (node,) = found
    kept = node.body[0] if ast.get_docstring(node) else None
    first = (kept.end_lineno if kept else node.body[0].lineno - 1) or 0
    indent = " " * node.body[0].col_offset
    lines = text.splitlines()
    return "\n".join([*lines[:first], indent + HOLLOW.format(number=number), *lines[node.end_lineno :]]) + "\n"


def check(this: Exercise) -> list[str]:
    """Run the tests that must turn green in the working copy; return what does not hold yet, in words.

    Raises:
        StageError: the exercise has not been begun, or the tests cannot run.
    """
    if not this.folder.exists():
        raise StageError(f"begin it first: make exercise N={this.number}")
    failed = working_copy.failures(this.folder / this.package, this.tests)
    return list(dict.fromkeys(map(str, failed))) or [
        f"no test notices this: {mutant.what}" for mutant in _unnoticed(this)
    ]


def _unnoticed(this: Exercise) -> list[Mutant]:
    unnoticed = []
    for mutant in this.mutants:
        with TemporaryDirectory(dir=this.folder.parent) as part:
            package = shutil.copytree(this.folder, Path(part) / "copy") / this.package
            mutant.edit.make(package)
            if not working_copy.failures(package, this.tests):
                unnoticed.append(mutant)
    return unnoticed


def solution(this: Exercise) -> str:
    """Return the difference between the working copy, or the hole if there is none, and the worked answer."""
    parts: list[str] = []
    for file in this.files:
        mine = this.folder / this.package / file
        before = mine.read_text() if mine.exists() else this.begun(file)
        yours, worked = before.splitlines(keepends=True), this.worked(file).splitlines(keepends=True)
        parts += difflib.unified_diff(yours, worked, f"yours/{file}", f"worked/{file}")
    return "".join(parts) or "no difference: yours is the worked answer\n"


def shown(path: Path) -> str:
    """Return a path below the project, as people would type it."""
    return str(path).replace(f"{base.WORKSPACES.parent}/", "")
