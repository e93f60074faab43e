"""Retrainings and daily checks in a pool of workers: each runs on whichever machine has one to spare.

Two may run at once, since a check waits for the training that it asks for. What a killed worker leaves behind is
cancelled by the orchestration server, which hears of each run every 30 seconds, or no more.
"""

import json
import os
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import Flow, flow, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Cancelled
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from ..config import paths
from ..config.files import write_text
from ..config.version import PACKAGE
from ..errors import StageError
from ..events import Event, Kind, as_line
from ..operations import files
from ..operations.polling import wait_until
from ..operations.readiness import SECONDS_TO_START, NoServerError
from . import retraining
from .daily_check import check

POOL, CHECK = "stage", "check"
ENGINE = f"{PACKAGE.name}.monitoring.flow_run"  # in place of prefect.engine
CLEANER = "cancel what is dead"
ALIVE = "prefect.flow-run.heartbeat"
ENDS = {f"prefect.flow-run.{name}" for name in ("Completed", "Failed", "Cancelled", "Crashed")}
SECONDS_OF_SILENCE = 90.0  # three heartbeats
SECONDS = 900.0  # for a check, with the training that it may ask for


@flow(name=CHECK, flow_run_name="{day}")
def check_elsewhere(day: str) -> None:
    """Check production, and leave the events among the stage's files."""
    write_text(_report(day), as_line(day, check(day)))


def ask_for_check(day: str) -> list[Event]:
    """Let a worker of the pool check production, and return the events of that.

    Raises:
        NoServerError: there is no worker.
        StageError: the check failed, or no worker ended it in time.
    """
    _wait_for_pool()
    with files.handed_over():
        run = run_deployment(
            f"{CHECK}/{CHECK}", parameters={"day": day}, timeout=SECONDS, poll_interval=1, as_subflow=False
        )
        assert isinstance(run, FlowRun)  # noqa: S101 - or a coroutine, as the type checker sees it
        if run.state is None or not run.state.is_final():
            with get_client(sync_client=True) as client:  # or a worker that comes later would check a past day
                client.set_flow_run_state(run.id, Cancelled(message="nobody waits for it any more"), force=True)
            raise StageError(f"no worker of the pool ended the check within {SECONDS:.0f} s: see their logs")
    if not run.state.is_completed():
        raise StageError(f"the check ended as {run.state.name}: {run.state.message}")
    events = json.loads(_report(day).read_text())["events"]
    return [Event(Kind(event["kind"]), event["text"], event["facts"]) for event in events]


def _wait_for_pool() -> None:
    """Wait until a worker has told the orchestration server what a check is; nobody can be asked before.

    Raises:
        NoServerError: none has in time.
    """
    named = DeploymentFilter(name=DeploymentFilterName(any_=[CHECK]))
    with get_client(sync_client=True) as client:
        if not wait_until(lambda: client.read_deployments(deployment_filter=named), SECONDS_TO_START):
            raise NoServerError("no worker has joined the pool: see the logs of `pipeline`")


def work() -> None:
    """Be a worker of the pool, which is made if need be."""
    with closing(files.lock(files.POOL)):
        deploy()
    command = ["prefect", "worker", "start", "--pool", POOL, "--type", "process", "--limit", "2"]
    os.execvp(command[0], command)  # noqa: S606


def deploy() -> None:
    """Tell the orchestration server what the workers run, and what becomes of what they leave behind."""
    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template)
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(pool)
        if not client.read_automations_by_name(CLEANER):
            client.create_automation(_cleaner())
    _deploy(retraining.retraining, "retraining", retraining.trigger())
    _deploy(check_elsewhere, CHECK)


def _deploy(what: Flow[..., Any], name: str, *triggers: DeploymentEventTrigger) -> None:
    RunnerDeployment.from_flow(
        what,
        name,
        triggers=list(triggers),
        work_pool_name=POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
        job_variables={"command": f"python -m {ENGINE}", "working_dir": str(PACKAGE.parent)},
    ).apply()


def _cleaner() -> AutomationCore:
    """Return what cancels a run that is silent; the server then cancels all that is part of it."""
    silence = EventTrigger(
        after={ALIVE},
        expect={ALIVE, *ENDS},
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=SECONDS_OF_SILENCE),
    )
    killed = "silent: its worker was killed"
    cancel = ChangeFlowRunState(name=None, state=StateType.CANCELLED, message=killed, force=False)
    return AutomationCore(name=CLEANER, trigger=silence, actions=[cancel])


def _report(day: str) -> Path:
    return paths.CHECKS / f"{day}.json"
