"""Commands of this level; each is also a `make` target or a line of HUMAN_STEPS.yaml."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from .errors import StageError

commands = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@commands.command()
def daily(day: str) -> None:
    """Run the daily jobs of DAY, such as 2013-03-01, or of each day read from standard input (-)."""
    from .daily import run_days

    run_days(sys.stdin if day == "-" else [day])


@commands.command()
def serve() -> None:
    """Become the application, running the code that was released last."""
    from .operations.deploy import current_release

    os.chdir(current_release())
    server = [sys.executable, "-m", "uvicorn", f"{__package__}.serving.app:app", "--no-access-log"]
    endpoint = ["--host", os.environ.get("HOST", "127.0.0.1"), "--port", os.environ["PORT"]]
    os.execv(sys.executable, server + endpoint)  # noqa: S606


@commands.command()
def deploy(revision: str = typer.Argument("HEAD")) -> None:
    """Release the application as committed in REVISION."""
    print(f"the application is now {operations().deploy(revision)}")


@commands.command()
def train(
    snapshot: Annotated[str | None, typer.Option(help="train on this snapshot again")] = None,
    until: Annotated[str | None, typer.Option(help="leave out the flights of this day and later")] = None,
) -> None:
    """Train a candidate, or go on with a training that was killed."""
    from .training.pipeline import start_training

    print(f"registered version {start_training('manual', snapshot, until)}")


@commands.command()
def models() -> None:
    """List the registered versions beside the one that serves."""
    from .registry.models import describe

    print(describe())


@commands.command()
def release(version: str) -> None:
    """Bring a registered VERSION, or the `latest`, into service; any earlier one the same way."""
    from .registry.models import champion, release

    before = champion()
    print(f"version {release(version)} serves")
    if before and not operations().restart():  # without a model, the application takes its first one by itself
        sys.exit("the application did not start again: see its log, or release the version before")


@commands.command()
def search() -> None:
    """Search the parameters listed in params.yaml, and record each trial."""
    from .training.search import search

    print(search())


@commands.command()
def restore(snapshot: str, target: Path) -> None:
    """Write exactly the bytes of a SNAPSHOT to TARGET."""
    from .config import paths
    from .data.snapshot import restore

    restore(snapshot, paths.SNAPSHOTS, paths.REMOTE, target)


@commands.command()
def forget(who: str) -> None:
    """Leave WHO out of every further snapshot and model."""
    from .config import paths
    from .data.rules import forget

    print(f"{forget(who, paths.DATA)} rows about {who} are in no further snapshot")


def operations() -> ModuleType:
    """Return what releases and restarts the application: processes of this machine, or containers."""
    from .operations import containers, deploy

    return containers if os.environ.get("ENGINE") == "docker" else deploy


if __name__ == "__main__":
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
