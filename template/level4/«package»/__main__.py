"""Commands of this level; each is also a `make` target or a line of HUMAN_STEPS.yaml."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from .errors import StageError

WITH_FILES = "forget", "restore", "resume", "search", "trace", "train"
commands = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@commands.callback()
def main(context: typer.Context) -> None:
    """Let who works with the stage's files have them; servers, and the days one by one, do that themselves."""
    if context.invoked_subcommand in WITH_FILES:
        from .operations.files import at_hand

        context.with_resource(at_hand())


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
    server = [python, "-m", f"{__package__}.operations.blue_green", f"{__package__}.serving.service:asgi"]
    endpoint = [os.environ.get("HOST", "127.0.0.1"), os.environ["PORT"]]
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
def pipeline() -> None:
    """Serve the retraining pipeline, which waits for alarms, with the code released last."""
    from .operations.deploy import current_release
    from .operations.readiness import wait_for_champion

    wait_for_champion()  # its imports would only be in the way of the first model
    os.chdir(current_release())
    waiting = f"from {__package__}.monitoring.retraining import serve; serve()"
    os.execv(sys.executable, [sys.executable, "-c", waiting])  # noqa: S606


@commands.command()
def work() -> None:
    """Be a worker of the pool: train on an alarm and check production, whenever one is asked for."""
    from .monitoring.pool import work

    work()


@commands.command()
def reports() -> None:
    """Serve the reports of every day as pages."""
    import uvicorn
    from evidently.ui.service.app import create_app, get_config

    from .config import paths
    from .operations.own_pages import OwnPagesOnly, own_hosts
    from .operations.readiness import wait_for_champion

    wait_for_champion()
    pages = OwnPagesOnly(create_app(get_config(workspace=str(paths.REPORTS))), own_hosts())
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["EVIDENTLY_PORT"])
    uvicorn.run(pages, host=host, port=port, access_log=False)


@commands.command()
def subscribers() -> None:
    """Send what becomes of models to whom EVENTS_TO names, as it happens; if that is nobody, end at once."""
    if os.environ.get("EVENTS_TO", "").strip():
        from .monitoring.subscribers import serve

        serve()


@commands.command()
def resume(why: str = "by hand") -> None:
    """End the open holds, so that trainings may start again."""
    from .monitoring.act import resume

    print(resume(why))


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
