"""Assess levels two at a time, each in a process of its own."""

import json
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import psutil

from ..base import StageError
from .runner import Found

LANES = 2  # a level waits more than it computes


def side_by_side(numbers: list[int]) -> Generator[tuple[int, Found]]:
    """Yield each level with what was found, as it comes; the last of the numbers begins.

    Raises:
        StageError: a level could not be assessed; the others are ended.
    """
    waiting, playing = list(numbers), dict[psutil.Process, tuple[int, Path]]()
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or playing:
                while waiting and len(playing) < LANES:
                    level = waiting.pop()
                    path = Path(folder, f"{level}.json")
                    command = [sys.executable, "-m", "shared.assessment", "--level", str(level), "--to", str(path)]
                    playing[psutil.Popen(command)] = level, path
                for each in psutil.wait_procs(playing, timeout=1)[0]:
                    level, path = playing.pop(each)
                    if not path.exists():
                        raise StageError(f"level {level} could not be assessed: see what it said above")
                    yield level, json.loads(path.read_text())
        finally:
            for each in playing:
                each.terminate()
            psutil.wait_procs(playing)  # they take their stages down with them
