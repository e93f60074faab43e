"""From an alarm to a delivered model: an event, the automation that hears it, and the flow it starts."""

import time
from typing import Any

from mlflow import MlflowClient
from prefect import flow, get_client
from prefect.events import emit_event
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

from ..config import paths
from ..delivery.pipeline import deliver
from ..errors import StageError
from ..operations.readiness import NoServerError
from ..registry import models
from ..training.pipeline import start_training
from . import store
from .guards import FAILED

EVENT = "flight-delays.retraining-asked"
AUTOMATION = "retrain when asked"
SECONDS = 300.0  # for a training and its delivery


@flow(name="retraining", flow_run_name="{alarm}")
def retraining(alarm: str, cause: str) -> str:
    """Train for a cause and deliver; what comes of it is written beside the alarm, also when it fails."""
    try:
        version = start_training(cause)
        MlflowClient().set_model_version_tag(models.MODEL, version, "alarm", alarm)
        result = deliver(version)
    except Exception as error:
        _conclude(alarm, f"{FAILED}: {error}")
        raise
    _conclude(alarm, result)
    return result


def serve() -> None:
    """Wait for alarms: an automation of the orchestration server starts the flow when it hears the event."""
    heard = DeploymentEventTrigger(
        name=AUTOMATION,
        expect={EVENT},
        parameters={"alarm": "{{ event.payload.alarm }}", "cause": "{{ event.payload.cause }}"},
    )
    retraining.serve(name="retraining", triggers=[heard], limit=1, print_starting_message=False)


def wait_for_pipeline() -> None:
    """Wait until the automation is there that hears alarms; an event that nobody hears is gone.

    Raises:
        NoServerError: it did not come up in time.
    """
    deadline = time.monotonic() + SECONDS
    with get_client(sync_client=True) as client:
        while not client.read_automations_by_name(AUTOMATION):
            if time.monotonic() > deadline:
                raise NoServerError("nobody hears alarms: see the logs of `pipeline`")
            time.sleep(0.1)


def ask(alarm: str, cause: str, evidence: dict[str, Any]) -> str:
    """Raise the alarm, wait until what it started has ended, and return what came of it."""
    try:
        wait_for_pipeline()
        emit_event(
            EVENT,
            resource={"prefect.resource.id": f"flight-delays.alarm.{alarm}"},
            payload={"alarm": alarm, "cause": cause, "evidence": evidence},
        )
    except Exception as error:
        _conclude(alarm, f"{FAILED}: nobody heard the alarm, {error}")
        raise
    deadline = time.monotonic() + SECONDS
    with store.open_store(paths.METRICS_STORE) as connection:
        while time.monotonic() < deadline:
            if result := store.result_of(connection, alarm):
                return result
            time.sleep(0.1)
    nothing = f"nothing came of the alarm {alarm} in {SECONDS:.0f} s: see the logs of `pipeline`"
    _conclude(alarm, f"{FAILED}: {nothing}")  # so that it counts; what comes of it later replaces this
    raise StageError(nothing)


def _conclude(alarm: str, result: str) -> None:
    with store.open_store(paths.METRICS_STORE) as connection:
        store.conclude(connection, alarm, result)
