"""A working copy of one level that somebody may change, and what its tests say of it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ..base import ROOT, StageError

MOST_WORDS = 200  # characters of why a test failed
BESIDE = "requirements.lock", "pyproject.toml"


@dataclass(frozen=True)
class Edit:
    """A place in a file of a level that becomes another one."""

    file: str
    find: str
    put: str = ""

    def apply(self, text: str) -> str:
        """Return the text of the file with the edit.

        Raises:
            StageError: the file does not have that place, or has it twice.
        """
        if text.count(self.find) != 1:
            raise StageError(f"{self.file} does not have this once: {self.find!r}")
        return text.replace(self.find, self.put)

    def make(self, package: Path) -> None:
        """Make the edit in a copy of the level."""
        path = package / self.file
        path.write_text(self.apply(path.read_text()))


@dataclass(frozen=True)
class Failure:
    """A test that failed: its function, and the beginning of why."""

    test: str
    why: str

    def __str__(self) -> str:
        return f"{in_words(self.test)}: {self.why}"


def in_words(test: str) -> str:
    """Return what a test promises, in the words of its name."""
    return test.removeprefix("test_").replace("_", " ")


def make(package: str, folder: Path) -> Path:
    """Copy a level, with what its tests need beside it, into a folder that does not exist; return the level's."""
    shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, folder)
    return folder / package


def failures(package: Path, tests: Sequence[str]) -> list[Failure]:
    """Run test files of a working copy; return what failed.

    Args:
        package: the level's folder in the working copy.
        tests: test files, below its folder `tests`.

    Raises:
        StageError: the tests could not run.
    """
    folder, report = package.parent, package.parent / "tests.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, *(f"{package.name}/tests/{test}" for test in tests)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise StageError(f"the tests could not run: {done.stdout.strip()[-1000:]}")
    return list(_failed(report))


def _failed(report: Path) -> Iterator[Failure]:
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by the tests just now
        for problem in (*case.iter("failure"), *case.iter("error")):
            why = " ".join((problem.get("message") or "").split())
            yield Failure(re.sub(r"\[.*", "", case.get("name", "")), why[:MOST_WORDS])
