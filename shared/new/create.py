"""Make the repository of a project of one's own: read its table, render the template, publish its first days."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copier import run_copy
from copier.errors import ShallowCloneWarning

from ..base import ROOT, StageError, git
from .checks import NotMadeError, check_level, check_name, check_place, check_schedule
from .made_up import made_up
from .propose import Proposal, propose
from .table import read

RENAMED = "renamed: "


def make(to: Path, level: str, name: str, **of_table: str) -> str:
    """Make the repository of a project that starts from a level; return what its people do next.

    Args:
        to: its folder, which must not exist.
        level: where it starts.
        name: of the project.
        of_table: `data`, `target`, `id` and `time`, as far as given, and `schedule`: what starts its daily run.

    Raises:
        StageError: the name, the folder or the table cannot be used; nothing has been made.
    """
    number = check_level(level)
    check_name(name)
    check_place(to, name)
    schedule = check_schedule(of_table.get("schedule", ""), number)
    commit = _last_commit()
    with TemporaryDirectory() as folder:
        data = Path(of_table["data"]) if of_table.get("data") else _made_up(Path(folder))
        target = of_table.get("target") or ("churned" if not of_table.get("data") else "")
        if not target:
            raise NotMadeError("name the column that is to be predicted: TARGET=churned")
        proposal = propose(read(data), target, of_table.get("id", ""), of_table.get("time", ""))
        with _becoming(to) as new:
            _render(new, commit, _answers(proposal, number, name, schedule))
            _publish(new, data)
            _commit(new, name)
    return _next(to, number, proposal)


def _last_commit() -> str:
    """Return the commit that the template is taken from.

    Copier would take uncommitted changes along, and note a commit that is nowhere: nothing could be merged later.
    """
    if not (ROOT / ".git").exists():
        raise NotMadeError(
            f"{ROOT} is no git clone, so nothing later could be merged: clone this project with git"
        )
    return git(ROOT, "rev-parse", "HEAD").strip()


@contextmanager
def _becoming(to: Path) -> Iterator[Path]:
    """Yield a folder that becomes `to` at the end; if anything fails nothing is left, new parents included."""
    missing = [folder for folder in to.parents if not folder.exists()]
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as part:
            new = Path(part, to.name)
            yield new
            new.rename(to)
    except OSError as error:
        raise NotMadeError(f"{to} cannot be written ({error.strerror or error}): choose another TO") from error
    finally:
        for folder in missing:
            with suppress(OSError):  # the project is in it, or it was never made
                folder.rmdir()


def _made_up(folder: Path) -> Path:
    path = folder / "customers.csv"
    made_up().to_csv(path, index=False)
    return path


def _answers(proposal: Proposal, level: int, name: str, schedule: str) -> dict[str, Any]:
    """Return the answers to the questions of the template (copier.yml)."""
    known = {name: value for name, value in asdict(proposal).items() if name != "notes"}
    return known | {"level": level, "name": name, "package": name.replace("-", "_"), "schedule": schedule}


def _render(new: Path, commit: str, answers: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShallowCloneWarning)  # it is small
        run_copy(str(ROOT), new, data=answers, defaults=True, quiet=True, vcs_ref=commit)


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
    renamed = [note.removeprefix(RENAMED) for note in proposal.notes if note.startswith(RENAMED)]
    notes = [note for note in proposal.notes if not note.startswith(RENAMED)]
    notes += [f"{RENAMED}{', '.join(renamed)}"] if renamed else []
    guesses = "\n".join(f"  - {note}" for note in notes)
    release = " release" if level < 3 else ""
    changed = "What is not committed here is not in it.\n" if git(ROOT, "status", "--porcelain") else ""
    return (
        f"{to} is a repository of its own, at level {level}. {changed}"
        f"What was guessed from the table:\n{guesses}\n"
        "Look at config/problem.py, data/schema.py and the features, each line marked `guess`. Then:\n"
        f"  cd {to}\n  make run       # and, in another terminal:\n  make daily train{release} predict"
    )
