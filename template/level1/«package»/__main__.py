"""Commands of this level; each is also a `make` target or a line of HUMAN_STEPS.yaml."""

import os
import sys
from types import ModuleType

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
def restart() -> None:
    """Restart the application."""
    if not operations().restart():
        sys.exit("the application did not start again: see its log")


def operations() -> ModuleType:
    """Return what releases and restarts the application: processes of this machine, or containers."""
    from .operations import containers, deploy

    return containers if os.environ.get("ENGINE") == "docker" else deploy


if __name__ == "__main__":
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
