"""Make the repository of a project of one's own: read its table, render the template, publish its first days."""

import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copier import run_copy

from ..base import ROOT, StageError, git, levels
from .made_up import made_up
from .propose import Proposal, propose
from .table import read

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SCHEDULES = {1: "cron"}  # by level; all others have a scheduler of their own
TAKEN = {"shared", "tests", "stage", "publish", "score", "template"} | set(sys.stdlib_module_names)


class NotMadeError(StageError):
    """The project cannot be made; the message says what to do."""


def make(to: Path, level: int, name: str, **of_table: str) -> str:
    """Make the repository of a project that starts from a level; return what its people do next.

    Args:
        to: its folder, which must not exist.
        level: where it starts.
        name: of the project.
        of_table: `data`, `target`, `id` and `time`, as far as given, and `schedule`: what starts its daily run.

    Raises:
        StageError: the name, the folder or the table cannot be used; nothing has been made.
    """
    _check(to, level, name)
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        data = Path(of_table["data"]) if of_table.get("data") else _made_up(Path(folder))
        target = of_table.get("target") or ("churned" if not of_table.get("data") else "")
        if not target:
            raise NotMadeError("name the column that is to be predicted: TARGET=churned")
        proposal = propose(read(data), target, of_table.get("id", ""), of_table.get("time", ""))
        with TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as part:
            new = Path(part, to.name)
            _render(new, _answers(proposal, level, name, of_table.get("schedule", "")))
            _publish(new, data)
            _commit(new, name)
            new.rename(to)
    return _next(to, level, proposal)


def _check(to: Path, level: int, name: str) -> None:
    starts = [number for number in levels() if number]
    if level not in starts:
        known = ", ".join(map(str, starts))
        raise NotMadeError(f"there is no project to start from level {level}: choose LEVEL={known}")
    if not NAME.fullmatch(name):
        raise NotMadeError(
            f"{name!r} is no name of a project: small letters, digits and hyphens, such as NAME=churn"
        )
    if name.replace("-", "_") in TAKEN:
        raise NotMadeError(f"{name!r} is the name of a module that Python or the project has: choose another NAME")
    if to.exists():
        raise NotMadeError(f"{to} exists already: name a folder that does not, or remove it first")
    if to.resolve().is_relative_to(ROOT):
        raise NotMadeError(f"{to} lies inside this project: name a folder beside it, such as TO=../{name}")


def _made_up(folder: Path) -> Path:
    path = folder / "customers.csv"
    made_up().to_csv(path, index=False)
    return path


def _answers(proposal: Proposal, level: int, name: str, schedule: str) -> dict[str, Any]:
    """Return the answers to the questions of the template (copier.yml)."""
    known = {name: value for name, value in asdict(proposal).items() if name != "notes"}
    schedule = schedule or SCHEDULES.get(level, "prefect")
    if schedule == "prefect" and level in SCHEDULES:
        raise NotMadeError(f"level {level} has no Prefect: choose SCHEDULE=cron or SCHEDULE=systemd")
    return known | {"level": level, "name": name, "package": name.replace("-", "_"), "schedule": schedule}


def _render(new: Path, answers: dict[str, Any]) -> None:
    run_copy(str(ROOT), new, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")


def _publish(new: Path, data: Path) -> None:
    """Publish the days of the table, as whoever brings new data will, with the command of the project itself."""
    command = [sys.executable, "publish.py", str(data.resolve())]
    done = subprocess.run(
        command, cwd=new, env=os.environ | {"STAGE": "stage"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotMadeError(f"the table cannot be published: {done.stderr.strip().splitlines()[-1]}")


def _commit(new: Path, name: str) -> None:
    git(new, "init", "--quiet", "--initial-branch", "main")
    git(new, "add", "--all")
    author = {}
    if not _has_author(new):
        author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": f"{name}@localhost"}
        author |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": f"{name}@localhost"}
    git(new, "commit", "--quiet", "--message", f"Start {name}", **author)


def _has_author(new: Path) -> bool:
    try:
        git(new, "var", "GIT_COMMITTER_IDENT")
    except StageError:
        return False
    return True


def _next(to: Path, level: int, proposal: Proposal) -> str:
    guesses = "\n".join(f"  - {note}" for note in proposal.notes)
    release = " release" if level < 3 else ""
    return (
        f"{to} is a repository of its own, at level {level}. What was guessed from the table:\n{guesses}\n"
        "Look at config/problem.py, data/schema.py and the features, each line marked `guess`. Then:\n"
        f"  cd {to}\n  make run       # and, in another terminal:\n  make daily train{release} predict"
    )
