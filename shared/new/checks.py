"""What is asked of `make new`, before anything is read or written."""

import importlib.util
import keyword
import re
from pathlib import Path

from ..base import ROOT, StageError, levels

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SCHEDULES = ("prefect", "cron", "systemd")
WITHOUT_PREFECT = {1}  # levels
TAKEN = {"climb", "containers", "publish", "schedule", "score", "stage"}  # at the root of every project


class NotMadeError(StageError):
    """The project cannot be made; the message says what to do."""


def check_level(asked: str) -> int:
    """Return the number of a level that a project can start from."""
    starts = [str(number) for number in levels() if number]
    if asked not in starts:
        raise NotMadeError(f"there is no project to start from level {asked}: choose LEVEL={', '.join(starts)}")
    return int(asked)


def check_name(name: str) -> None:
    """Refuse what cannot be a package, or would hide one."""
    if not NAME.fullmatch(name):
        raise NotMadeError(
            f"{name!r} is no name of a project: small letters, digits and hyphens, such as NAME=churn"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in TAKEN | _locked() or importlib.util.find_spec(package):
        raise NotMadeError(f"{name!r} is the name of a module that Python or the project has: choose another NAME")


def check_place(to: Path, name: str) -> None:
    """Refuse a folder that is there, in which `make` does not work, or which belongs to this project."""
    if to.exists() or to.is_symlink():
        raise NotMadeError(f"{to} exists already: name a folder that does not, or remove it first")
    if to.resolve().is_relative_to(ROOT):
        raise NotMadeError(f"{to} lies inside this project: name a folder beside it, such as TO=../{name}")
    if re.search(r"\s", str(to.resolve())):
        raise NotMadeError(
            f"{to.resolve()} has a space in it, which make takes for two folders: choose another TO"
        )


def check_schedule(asked: str, level: int) -> str:
    """Return what starts the daily run: what was asked for, or what the level has."""
    choices = [name for name in SCHEDULES if name != "prefect" or level not in WITHOUT_PREFECT]
    if asked and asked not in choices:
        raise NotMadeError(f"level {level} has no schedule {asked!r}: choose SCHEDULE={', '.join(choices)}")
    return asked or choices[0]


def _locked() -> set[str]:
    """Return the packages that a project may install, as modules are written."""
    names = re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return {name.replace("-", "_") for name in names}
