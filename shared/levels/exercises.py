"""Exercises: a working copy of a level with a hole in it, the tests that must turn green, and the worked answer.

They are made from the level itself, so that they cannot drift from it: a function loses its body, or a line is
another one. What an exercise is about is in docs/lessons/exercises.yaml.
"""

import ast
import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import yaml

from .. import base
from ..base import ROOT, StageError, levels

SOURCE = Path("docs", "lessons", "exercises.yaml")
BESIDE = "requirements.lock", "pyproject.toml"
HOLLOW = 'raise NotImplementedError("exercise {number}: yours to write")'


@dataclass(frozen=True)
class Hole:
    """What is taken out of a file: the body of a function, or a line that becomes another one."""

    file: str
    function: str = ""
    find: str = ""
    put: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise."""

    number: int
    level: int
    title: str
    task: str
    holes: list[Hole]
    tests: list[str]
    hint: str
    chapter: str = ""

    @property
    def package(self) -> str:
        """Return the folder of its level."""
        return levels()[self.level]

    @property
    def folder(self) -> Path:
        """Return where its working copy is."""
        return base.WORKSPACES / "exercises" / str(self.number)


def read_exercises() -> dict[int, Exercise]:
    """Return all exercises by number."""
    entries = yaml.safe_load((ROOT / SOURCE).read_text())
    exercises = [Exercise(**entry | {"holes": [Hole(**hole) for hole in entry["holes"]]}) for entry in entries]
    return {exercise.number: exercise for exercise in exercises}


def exercise(number: str) -> Exercise:
    """Return an exercise by its number, as it is written on the command line.

    Raises:
        StageError: there is none.
    """
    known = read_exercises()
    if not number.isdigit() or int(number) not in known:
        listed = "\n".join(f"  N={each.number}  level {each.level}: {each.title}" for each in known.values())
        raise StageError(f"which one? Choose among\n{listed}")
    return known[int(number)]


def begin(this: Exercise) -> Path:
    """Make the working copy with the hole; return its folder.

    Raises:
        StageError: there is one already, and somebody may have worked on it.
    """
    if this.folder.exists():
        raise StageError(f"{shown(this.folder)} is there already: go on in it, or remove it to begin anew")
    this.folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=this.folder.parent) as part:
        copy = Path(part) / "copy"
        shutil.copytree(ROOT / this.package, copy / this.package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in BESIDE:
            shutil.copy(ROOT / name, copy)
        for hole in this.holes:
            path = copy / this.package / hole.file
            path.write_text(with_hole(path.read_text(), hole, this.number))
        (copy / "TASK.md").write_text(f"# {this.title}\n\n{this.task}")
        copy.rename(this.folder)
    return this.folder


def with_hole(text: str, hole: Hole, number: int) -> str:
    """Return a source without what an exercise asks for; the docstring of a function stays.

    Raises:
        StageError: the level has no such function or line any more.
    """
    if not hole.function:
        if text.count(hole.find) != 1:
            raise StageError(f"{hole.file} does not have once what exercise {number} changes: {hole.find!r}")
        return text.replace(hole.find, hole.put)
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
    report = this.folder / "tests.xml"
    tests = [f"{this.package}/tests/{test}" for test in this.tests]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    environment = os.environ | {"PYTHONPATH": str(this.folder)}
    done = subprocess.run(
        [*command, *tests], cwd=this.folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise StageError(f"the tests could not run: {done.stdout.strip()[-1000:]}")
    return list(_failures(report))


def _failures(report: Path) -> Iterator[str]:
    """Yield the name of each test that failed, as a sentence, with the end of why."""
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by the tests just now
        for problem in (*case.iter("failure"), *case.iter("error")):
            name = re.sub(r"\[.*", "", case.get("name", "")).removeprefix("test_").replace("_", " ")
            yield f"{name}: {(problem.get('message') or '').splitlines()[0][:200]}"


def solution(this: Exercise) -> str:
    """Return the difference between the working copy and the level."""
    parts: list[str] = []
    for file in dict.fromkeys(hole.file for hole in this.holes):
        mine = this.folder / this.package / file
        before = mine.read_text() if mine.exists() else _holed(this, file)
        after = (ROOT / this.package / file).read_text()
        parts += difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"yours/{file}", f"worked/{file}"
        )
    return "".join(parts) or "no difference: yours is the worked answer\n"


def _holed(this: Exercise, file: str) -> str:
    text = (ROOT / this.package / file).read_text()
    for hole in this.holes:
        text = with_hole(text, hole, this.number) if hole.file == file else text
    return text


def files(this: Exercise) -> str:
    """Return the files that an exercise asks for, in words."""
    return " and ".join(dict.fromkeys(hole.file for hole in this.holes))


def shown(path: Path) -> str:
    """Return a path below the project, as people would type it."""
    return str(path).replace(f"{base.WORKSPACES.parent}/", "")
