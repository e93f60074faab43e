"""What a reader can break in each chapter: one edit of the level, and the tests that notice."""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from ..base import ROOT
from .manifest import PROSE
from .working_copy import Edit, in_words

SOURCE = "breaks.yaml"  # in the prose of each step
AROUND = 2  # lines shown before and after the edit


@dataclass(frozen=True)
class Break:
    """One edit, the test files to run, and the tests in them that then fail."""

    step: str
    chapter: str
    edit: Edit
    tests: list[str]
    notices: list[str]

    def shown(self, package: Path) -> str:
        """Return the edit as a diff of a file of the level, what no longer holds, and the commands to see it."""
        text = (package / self.edit.file).read_text()
        before, after = text.splitlines(keepends=True), self.edit.apply(text).splitlines(keepends=True)
        lines = list(difflib.unified_diff(before, after, n=AROUND))[2:]
        diff = "".join("@@\n" if line.startswith("@@") else line for line in lines)
        promises = "\n".join(f"- {in_words(test)}" for test in self.notices)
        tests = " ".join(f"{package.name}/tests/{test}" for test in self.tests)
        commands = f".venv/bin/python -m pytest -q {tests}\ngit restore {package.name}/{self.edit.file}"
        return (
            f"`{self.edit.file}`:\n\n```diff\n{diff}```\n\nThen these tests fail:\n\n{promises}\n\n"
            f"Run them, and undo the edit:\n\n```sh\n{commands}\n```"
        )


@cache
def read_breaks(root: Path = ROOT) -> dict[tuple[str, str], Break]:
    """Return the breaks of all chapters in reading order, by step and by the name of the chapter's file."""
    breaks = {}
    for path in sorted((root / PROSE).glob(f"*/{SOURCE}")):
        for entry in yaml.safe_load(path.read_text()):
            edit = Edit(entry["file"], entry["find"], entry["put"])
            step, chapter = path.parent.name, entry["chapter"]
            breaks[step, chapter] = Break(step, chapter, edit, entry["tests"], entry["notices"])
    return breaks
