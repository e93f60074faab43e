"""A repository that `make new` has made, and its stage; its packages are those of this checkout."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psutil

from ..conftest import PORTS, ROOT, free_port

MAKE = ["make", "--silent", "INSTALLED=", "TOOLS="]  # what it would install is there
SECONDS = 600.0  # a command, on a busy machine
Daily = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Repository:
    """A new repository, on ports of its own."""

    folder: Path
    level: int
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a command in it, which must end well; return what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def make(self, *targets: str) -> str:
        """Run make; return what it prints."""
        return self.run(*MAKE, *targets)

    @property
    def stage(self) -> Path:
        """Return the folder of its stage."""
        return self.folder / "stage"

    @contextmanager
    def up(self) -> Iterator[None]:
        """Bring its stage up; in the end, Ctrl-C, and nothing is left."""
        with (self.folder.parent / "up.log").open("w") as log:
            up = subprocess.Popen(
                [*MAKE, "run"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.run(".venv/bin/python", "stage.py", "ready")
            yield
        finally:
            os.killpg(up.pid, signal.SIGINT)  # as a terminal does it: all of the group get it
            up.wait(SECONDS)
        assert not [process for process in psutil.process_iter() if _stage_of(process) == str(self.stage)]

    @contextmanager
    def daily_runs(self) -> Iterator[Daily]:
        """Yield what does the daily run of a day and returns its events; one process does all of them."""
        (package,) = {path.parent.name for path in self.folder.glob("*/daily.py")}
        command = [".venv/bin/python", "stage.py", "inside", "python", "-m", package, "daily", "-"]
        with (
            (self.folder.parent / "daily.log").open("a") as log,
            subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=PIPE, stdout=PIPE, stderr=log, text=True
            ) as process,
        ):
            assert process.stdin
            assert process.stdout
            days, events = process.stdin, process.stdout

            def daily(day: str) -> list[dict[str, Any]]:
                days.write(f"{day}\n")
                days.flush()
                return list(json.loads(events.readline())["events"])

            yield daily
            days.close()


def make_repository(folder: Path, level: int, *options: str) -> Repository:
    """Make a repository that starts from a level, with the packages already installed."""
    command = [sys.executable, "-m", "shared", "new", str(folder), "--level", str(level), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in (".venv", ".venv-serving"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".git" / "info" / "exclude").write_text(".venv\n.venv-serving\n")
    return Repository(folder, level, os.environ | {name: str(free_port()) for name in PORTS})


def _stage_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("STAGE", "")
    except psutil.Error:
        return ""
