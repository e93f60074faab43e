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
def serve(staging: bool = False) -> None:
    """Serve the application with the code released last; with --staging, its copy for candidates."""
    from .operations.deploy import current_release

    os.chdir(current_release())
    python = os.environ["SERVING"]
    server = [python, "-m", "uvicorn", f"{__package__}.serving.service:asgi", "--no-access-log"]
    endpoint = ["--host", os.environ.get("HOST", "127.0.0.1"), "--port", os.environ["PORT"]]
    if staging:
        os.environ["ALIAS"] = "staging"
        endpoint[-1] = os.environ["STAGING_PORT"]
    os.execv(python, server + endpoint)  # noqa: S606


@commands.command()
def deploy(revision: str = typer.Argument("HEAD")) -> None:
    """Release the application as committed in REVISION."""
    print(f"the application is now {operations().deploy(revision)}")


@commands.command()
def train(
    snapshot: Annotated[str | None, typer.Option(help="train on this snapshot again")] = None,
    until: Annotated[str | None, typer.Option(help="leave out the instances of this day and later")] = None,
) -> None:
    """Train a candidate and deliver it; what was killed, a training or a delivery, is finished instead."""
    from .delivery.pipeline import attempt, finish
    from .training.pipeline import start_training

    for event in finish() or [attempt(start_training("manual", snapshot, until))]:
        print(event.text)


@commands.command()
def models() -> None:
    """List the registered versions beside the one that serves."""
    from .registry.models import describe

    print(describe())


@commands.command()
def approve(version: str) -> None:
    """Release a certified VERSION that awaits approval (approval: manual in params.yaml)."""
    from .delivery.pipeline import approve

    print(approve(version))


@commands.command()
def rollback(why: str = "by hand") -> None:
    """Restore the previous champion."""
    from .delivery.promotion import rollback

    print(rollback(why))


@commands.command()
def history() -> None:
    """List the transitions of the versions, with their times and reasons."""
    from .registry import history

    for transition in history.read():
        print(transition)


@commands.command()
def trace(instance: str) -> None:
    """Trace the last prediction for INSTANCE back to the raw file."""
    from .audit.trace import trace

    for step in trace(instance):
        print(step)


@commands.command()
def explain(instance: str) -> None:
    """Explain the last prediction for INSTANCE: the contribution of each feature."""
    from .audit.explain import explain

    for line in explain(instance):
        print(line)


@commands.command()
def salvage() -> None:
    """Make a damaged prediction log whole, with all that can be read of it."""
    from .config import paths
    from .serving.salvage import salvage

    print(salvage(paths.PREDICTION_LOG))


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
    from .serving import prediction_log

    print(f"{forget(who, paths.DATA)} rows about {who} are in no further snapshot")
    print(f"{prediction_log.forget(paths.PREDICTION_LOG, who)} predictions are no longer in the log")


def operations() -> ModuleType:
    """Return what releases the application: as processes of this machine, as containers, or as replicas."""
    from .operations import containers, deploy, swarm

    return {"docker": containers, "swarm": swarm}.get(os.environ.get("ENGINE", ""), deploy)


if __name__ == "__main__":
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
