"""What `make` asks before it does anything; nothing of it needs a package, so that no answer comes after minutes.

`python -m shared.stack.preflight start 3`: may the stage start? `command history 3`: does the level have the
command, and does its stage run? `clean`: does nothing run here?
"""

import sys
from collections.abc import Callable

from .. import base
from ..base import ROOT, StageError, levels
from . import elsewhere, lock, ports

# The level that each command comes with; all levels above have it too, if they are not named here.
COMES_WITH = {
    "traffic": 0,
    "drift": 0,
    "retrain": 0,
    "deploy": 1,
    "train": 2,
    "models": 2,
    "release": 2,
    "search": 2,
    "restore": 2,
    "candidate": 2,
    "approve": 3,
    "rollback": 3,
    "history": 3,
    "trace": 3,
    "explain": 3,
    "salvage": 3,
    "resume": 4,
}
GONE = {"release": (3, "a version that passes its gates is released by itself: see `make history`")}
EXAMPLES = {
    "FLIGHT": "2013-07-01-B6939-JFK",
    "SNAPSHOT": "0123456789abcdef0123456789abcdef",
    "TO": "table.parquet",
    "VERSION": "2",
}


def start(level: str) -> None:
    """Ask whether the stage of a level may start.

    Raises:
        StageError: it runs, there is no such level, ports are taken, or a server does not answer.
    """
    number = _level(level)
    workspace = base.WORKSPACES / f"level{number}"
    if running := lock.holder(workspace):
        raise StageError(
            f"{lock.name(workspace, running)}: end it with Ctrl-C where it was started, or play on in it: "
            f"`make traffic LEVEL={number}`"
        )
    described = ports.described(ROOT / levels()[number]) | ports.LIVE
    chosen = ports.choose(described, number)
    if not lock.was_killed(workspace):  # what is left of a killed one is ended first
        ports.check_free(chosen, described, number)
    elsewhere.check()


def command(name: str, level: str, *given: str) -> None:
    """Ask whether a level has a command, whether its stage runs, and whether all that it needs is given.

    Args:
        name: of the command.
        level: its number.
        given: what it needs, such as `FLIGHT=2013-07-01-B6939-JFK`; nothing after the sign: not given.

    Raises:
        StageError: one of them is not so.
    """
    number, first = _level(level), COMES_WITH[name]
    if number < first:
        raise StageError(f"level {number} has no `{name}`: it comes with level {first}")
    if name in GONE and number >= GONE[name][0]:
        raise StageError(f"level {number} has no `{name}`: {GONE[name][1]}")
    if lock.holder(base.WORKSPACES / f"level{number}") is None:
        raise StageError(f"level {number} does not run: start it with `make level{number}`, in another terminal")
    if missing := [needed.removesuffix("=") for needed in given if needed.endswith("=")]:
        examples = " ".join(f"{needed}={EXAMPLES[needed]}" for needed in missing)
        raise StageError(f"`make {name}` needs more: `make {name} LEVEL={number} {examples}`")


def clean() -> None:
    """Ask whether nothing runs in this checkout.

    Raises:
        StageError: something does.
    """
    found = [path.with_suffix("") for path in sorted(base.WORKSPACES.glob("*.lock"))]
    running = [lock.name(workspace, held) for workspace in found if (held := lock.holder(workspace))]
    if running:
        raise StageError(f"{'; '.join(running)}: end it first, nothing has been removed")


def _level(level: str) -> int:
    if not level.isdecimal() or int(level) not in levels():
        known = ", ".join(f"{number} ({name})" for number, name in levels().items())
        wrong = f"there is no level {level}" if level else "of which level?"
        raise StageError(f"{wrong}: name one with LEVEL=..., among {known}")
    return int(level)


QUESTIONS: dict[str, Callable[..., None]] = {"start": start, "command": command, "clean": clean}

if __name__ == "__main__":
    ask, *arguments = sys.argv[1:]
    try:
        QUESTIONS[ask](*arguments)
    except StageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
