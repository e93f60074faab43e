"""What a machine of the tests of the pool runs: the real pool, with a check and a training that stand in.

They write what the real ones write, and a training goes on for as long as the file that HOLD names is there.
"""

import os
import sys
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import mlflow
from prefect import flow

from ...config import paths
from ...config.files import write_text
from ...config.version import PACKAGE
from ...events import Event, Kind, as_line
from ...monitoring import decisions, flow_run, pool, retraining, store
from ...monitoring.alarm import Cause
from ...monitoring.decisions import Action, Record
from ...operations.files import at_hand
from ...operations.polling import wait_until
from ...registry import models

DAY, FOUND, TRAINED = "2013-03-01", "corrections.json", "trained-*"
SECONDS_OF_SILENCE = 40.0


def check(day: str) -> list[Event]:
    """Find something, and ask for a training."""
    assert (paths.DATA / "collected").read_text() == day
    write_text(paths.DATA / FOUND, day)
    decision = Record(day, day, Action.RETRAIN, Cause.DRIFT, "", {})
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions.record(connection, decision)
    result = retraining.request(decision).result
    write_text(paths.ISSUES / f"{day}.md", f"{len(list(paths.SNAPSHOTS.glob(TRAINED)))} trainings")
    return [Event(Kind.ALARM, result)]


@flow(name="training")
def start_training(cause: str) -> str:
    """Take a snapshot of what was found."""
    with mlflow.start_run():
        wait_until(lambda: not Path(os.environ["HOLD"]).exists(), 600)
        write_text(paths.SNAPSHOTS / f"trained-{uuid4()}", (paths.DATA / FOUND).read_text() + cause)
    return "2"


def ask(day: str) -> None:
    """Collect, and let the pool check."""
    with at_hand():
        write_text(paths.DATA / "collected", day)
        print(as_line(day, pool.ask_for_check(day)))


def run() -> None:
    """Run a flow as a worker would have it run, but for what stands in."""
    with (
        patch.object(retraining, "start_training", start_training),
        patch.object(retraining, "deliver", lambda version: f"version {version} is challenger"),
        patch.object(pool, "check", check),
        patch.object(models, "tag"),
    ):
        flow_run.run()


if __name__ == "__main__":
    pool.ENGINE, pool.SECONDS_OF_SILENCE = f"{PACKAGE.name}.tests.monitoring.machine run", SECONDS_OF_SILENCE
    match sys.argv.pop(1):
        case "work":
            pool.work()
        case "run":
            run()
        case day:
            ask(day)
