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
    """Do what happens by itself on DAY, such as 2013-03-01, or on each day read from standard input (-)."""
    from .daily import run_days

    run_days(sys.stdin if day == "-" else [day])


@commands.command()
def serve(staging: bool = False) -> None:
    """Become the application, running the code that was released last; with --staging, its copy for candidates."""
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
    """Release the application as it was committed in REVISION."""
    print(f"the application is now {operations().deploy(revision)}")


@commands.command()
def train(
    snapshot: Annotated[str | None, typer.Option(help="train on this one again")] = None,
    until: Annotated[str | None, typer.Option(help="leave out flights from this day on")] = None,
) -> None:
    """Train a candidate and deliver it, or go on with a training or a delivery that was killed."""
    from .delivery.pipeline import deliver, finish
    from .training.pipeline import start_training

    finished = finish()
    for event in finished:
        print(event.text)
    if not finished:
        print(deliver(start_training("manual", snapshot, until)))


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
    """Bring the previous champion back."""
    from .delivery.promotion import rollback

    print(rollback(why))


@commands.command()
def history() -> None:
    """List all that happened to the versions, when and why."""
    from .registry import history

    for transition in history.read():
        print(transition)


@commands.command()
def trace(flight: str) -> None:
    """Follow the last prediction for FLIGHT back to the raw file."""
    from .audit.trace import trace

    for step in trace(flight):
        print(step)


@commands.command()
def explain(flight: str) -> None:
    """Say what each feature contributed to the last prediction for FLIGHT."""
    from .audit.explain import explain

    for line in explain(flight):
        print(line)


@commands.command()
def search() -> None:
    """Try the parameters that params.yaml lists, and record how each one did."""
    from .training.search import search

    print(search())


@commands.command()
def restore(snapshot: str, target: Path) -> None:
    """Write exactly the bytes of a SNAPSHOT to TARGET."""
    from .config import paths
    from .data.snapshot import restore

    restore(snapshot, paths.SNAPSHOTS, paths.REMOTE, target)


def operations() -> ModuleType:
    """Return what releases the application: processes of this machine, or containers."""
    from .operations import containers, deploy

    return containers if os.environ.get("ENGINE") == "docker" else deploy


if __name__ == "__main__":
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
