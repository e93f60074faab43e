"""Workers on two machines, with a database and a bucket between them: one alarm, one training."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from mlflow import MlflowClient

from ...config.version import PACKAGE, ROOT
from ...monitoring import decisions, store
from ...monitoring.decisions import Status
from ...operations.polling import wait_until
from ..buckets import answers, free_port, serving_a_bucket
from ..databases import Server
from .machine import FOUND, TRAINED

pytestmark = pytest.mark.slow

MACHINE = [sys.executable, "-m", f"{PACKAGE.name}.tests.monitoring.machine"]
SECONDS = 180.0


@dataclass
class Stage:
    """Two machines with a worker each, and one that the upstream publishes to."""

    folder: Path
    environment: dict[str, str]
    workers: dict[str, "subprocess.Popen[bytes]"]

    def on(self, machine: str) -> dict[str, str]:
        """Return the environment of a machine."""
        home = self.folder / machine
        return self.environment | {"STAGE": str(home), "PREFECT_HOME": str(home / "prefect")}

    def ask(self, day: str) -> "subprocess.Popen[bytes]":
        """Let the machine that has the clock ask for a day's check."""
        return subprocess.Popen([*MACHINE, day], env=self.on("clock"), stdout=subprocess.PIPE)

    def running(self, kind: str) -> list[dict[str, Any]]:
        """Return the flow runs, or the task runs, that have not ended."""
        states = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
        found = httpx.post(f"{self.environment['PREFECT_API_URL']}/{kind}/filter", json={kind: states})
        return list(found.raise_for_status().json())

    def status(self, alarm: str) -> Status | None:
        """Return what has become of an alarm."""
        with store.open_store(self.environment["METRICS_STORE"]) as connection:
            return next((each.status for each in decisions.read(connection) if each.id == alarm), None)


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a server in a session of its own, and end it with all that it has started."""
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it has started, as when its machine loses its power."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        for child in family:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(family)
    process.wait()


@pytest.fixture(scope="module")
def stage(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start the servers and two workers."""
    folder, port = tmp_path_factory.mktemp("machines"), free_port()
    # Not what MLflow names a process by that has trained, as one of other tests may have.
    inherited = {name: value for name, value in os.environ.items() if name != "MLFLOW_EXPERIMENT_ID"}
    environment = inherited | {
        "FILES_REMOTE": "s3://stage/files",
        "HOLD": str(folder / "hold"),
        "METRICS_STORE": postgresql.make(),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": postgresql.make().replace("://", "+asyncpg://"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    server = ["uvicorn", "--factory", f"{PACKAGE.name}.operations.orchestration:create", "--no-access-log"]
    with ExitStack() as stack:
        environment |= stack.enter_context(serving_a_bucket(folder))
        stack.enter_context(started([sys.executable, "-m", *server, "--port", str(port)], environment))
        stage = Stage(folder, environment, {})
        assert wait_until(lambda: answers(f"{environment['PREFECT_API_URL']}/health"), SECONDS)
        (folder / "clock").mkdir()
        for name in ("one", "other"):
            (folder / name).mkdir()
            worker = started([*MACHINE, "work"], stage.on(name))
            stage.workers[name] = stack.enter_context(worker)
        yield stage


def test_one_alarm_is_one_training_wherever_and_its_files_go_along(stage: Stage) -> None:
    asked = stage.ask("2013-03-01")
    out, _ = asked.communicate(timeout=SECONDS)
    assert json.loads(out)["events"][0]["text"] == "version 2 is challenger"
    assert stage.status("2013-03-01") is Status.DONE
    clock = stage.folder / "clock"
    (snapshot,) = (clock / "snapshots").glob(TRAINED)
    assert snapshot.read_text() == "2013-03-01drift"  # with what the check had found just before
    assert (clock / "data" / FOUND).read_text() == "2013-03-01"
    assert (clock / "issues" / "2013-03-01.md").read_text() == "1 trainings"  # the check has seen it too
    again = {"parameters": {"alarm": "2013-03-01", "cause": "drift"}}
    api = stage.environment["PREFECT_API_URL"]
    deployment = httpx.get(f"{api}/deployments/name/retraining/retraining").json()["id"]
    asked_again = httpx.post(f"{api}/deployments/{deployment}/create_flow_run", json=again).json()["id"]
    assert wait_until(
        lambda: httpx.get(f"{api}/flow_runs/{asked_again}").json()["state_type"] == "FAILED", SECONDS
    )


def test_a_worker_that_is_killed_leaves_nothing_running_and_the_next_alarm_trains(stage: Stage) -> None:
    hold = Path(stage.environment["HOLD"])
    hold.touch()
    asked = stage.ask("2013-03-02")
    assert wait_until(lambda: len(stage.running("flow_runs")) == 3, SECONDS)  # check, retraining and training
    tracking = MlflowClient(stage.environment["MLFLOW_TRACKING_URI"])
    assert wait_until(lambda: tracking.search_runs(["0"], "attributes.status = 'RUNNING'"), SECONDS)
    kill(stage.workers["one"])
    kill(stage.workers["other"])
    hold.unlink()
    with started([*MACHINE, "work"], stage.on("one")):
        assert asked.wait(SECONDS) != 0
        assert wait_until(lambda: not stage.running("flow_runs") and not stage.running("task_runs"), SECONDS)
        out, _ = stage.ask("2013-03-03").communicate(timeout=SECONDS)
        assert json.loads(out)["events"][0]["text"] == "version 2 is challenger"
    assert stage.status("2013-03-03") is Status.DONE
    states = [run.info.status for run in tracking.search_runs(["0"])]
    assert "RUNNING" not in states
    assert states.count("KILLED") == 1
