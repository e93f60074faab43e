"""Assess levels two at a time, each in a process of its own."""

import json
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import psutil

from ..base import StageError
from .runner import Result

AT_A_TIME = 2  # a level waits more than it computes


def in_parallel(numbers: list[int]) -> Generator[tuple[int, Result]]:
    """Yield each level with its result, as it comes; the last of the numbers begins.

    Raises:
        StageError: a level could not be assessed; the others are ended.
    """
    waiting, running = list(numbers), dict[psutil.Process, tuple[int, Path]]()
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or running:
                while waiting and len(running) < AT_A_TIME:
                    level = waiting.pop()
                    path = Path(folder, f"{level}.json")
                    command = [sys.executable, "-m", "shared.assessment", "one", str(level), str(path)]
                    running[psutil.Popen(command)] = level, path
                for process in psutil.wait_procs(running, timeout=1)[0]:
                    level, path = running.pop(process)
                    if not path.exists():
                        raise StageError(f"level {level} could not be assessed: its error stands above")
                    yield level, json.loads(path.read_text())
        finally:
            for process in running:
                process.terminate()
            psutil.wait_procs(running)  # they take their stages down with them
