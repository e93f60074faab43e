"""Assess levels two at a time, each in a process of its own."""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..base import StageError
from ..console import console
from ..parallel import in_parallel
from .runner import Result

WORKERS = 2  # a level waits more than it computes


def assess_all(numbers: list[int], ready: Callable[[int, Result], None]) -> None:
    """Assess levels, the last of the numbers first; `ready` gets each with its result, as it comes.

    Raises:
        StageError: a level could not be assessed; the others are ended.
    """
    with tempfile.TemporaryDirectory() as folder:

        def path(level: int) -> Path:
            return Path(folder, f"{level}.json")

        def ended(level: int, _code: int) -> None:
            if not path(level).exists():
                raise StageError(f"level {level} could not be assessed: its error stands above")
            ready(level, json.loads(path(level).read_text()))

        command = [sys.executable, "-m", "shared.assessment", "one"]
        jobs = [(level, [*command, str(level), str(path(level))]) for level in reversed(numbers)]
        in_parallel(jobs, WORKERS, lambda _level, line: console.print(line, markup=False), ended)
