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

from ..conftest import PORTS, ROOT, free_port

Daily = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Repository:
    """A repository of a project of its own."""

    folder: Path

    def run(self, *command: str, timeout: float = 300) -> str:
        """Run a command in it, which must end well; return what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment without what the tests of this house have in theirs."""
        return {
            name: value for name, value in os.environ.items() if not name.startswith(("STAGE", "MLFLOW", "PYTEST"))
        }

    @property
    def python(self) -> str:
        return str(self.folder / ".venv/bin/python")

    @contextmanager
    def up(self) -> Iterator[None]:
        """Bring its stage up, and end it however the block ends."""
        ports = {name: str(free_port()) for name in PORTS}
        with (self.folder / "up.log").open("a") as log:
            process = subprocess.Popen(
                [self.python, "stage.py", "up"],
                cwd=self.folder,
                env=self.environment | ports,
                stdout=log,
                stderr=log,
            )
        try:
            self.run(self.python, "stage.py", "ready")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    @contextmanager
    def daily_runs(self) -> Iterator[Daily]:
        """Yield what does the daily run of a day and returns its events; one process does all of them."""
        (package,) = {path.parent.name for path in self.folder.glob("*/daily.py")}
        command = [self.python, "stage.py", "inside", "python", "-m", package, "daily", "-"]
        with (
            (self.folder / "daily.log").open("a") as log,
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


def make(folder: Path, level: int, *options: str) -> Repository:
    """Make a repository that starts from a level, with the environments of this checkout."""
    command = [sys.executable, "-m", "shared", "new", str(folder), "--level", str(level), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    link(folder)
    return Repository(folder)


def link(folder: Path) -> None:
    """Let a repository use the environments of this checkout: to install them takes minutes."""
    for name in (".venv", ".venv-serving"):
        (folder / name).mkdir(exist_ok=True)
        for entry in (ROOT / name).iterdir():
            (folder / name / entry.name).symlink_to(entry)
    for stamp in (".venv/.stage-installed", ".venv/.dev-installed", ".venv-serving/.installed"):
        path = folder / stamp
        path.unlink(missing_ok=True)
        path.touch()
