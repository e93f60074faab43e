"""Retraining on an alarm: the event, the automation that reacts to it, and the flow that it starts."""

from prefect import flow, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import StateType
from prefect.events import emit_event
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

from ..config import paths
from ..config.problem import NAME
from ..delivery.pipeline import deliver
from ..errors import RefusedError, StageError
from ..operations.files import handed_over
from ..operations.polling import wait_until
from ..operations.readiness import NoServerError
from ..registry import models
from ..training.pipeline import start_training
from . import decisions, store
from .decisions import Record, Status

EVENT = f"{NAME}.retraining-requested"
AUTOMATION = "retrain on request"
SECONDS = 300.0  # for a training and its delivery
SECONDS_TO_START, ASKS = 60.0, 2
DEAD = [StateType.CRASHED, StateType.CANCELLED, StateType.FAILED]


class NotDecidedError(RefusedError):
    """Nobody decided this training: an event may come from anywhere, and more than once."""


@flow(name="retraining", flow_run_name="{alarm}")
def retraining(alarm: str, cause: str) -> str:
    """Train because of an alarm and deliver the model; record the outcome with the alarm, also when it fails.

    Raises:
        NotDecidedError: the policy has decided no such training, or it has begun before.
    """
    with store.open_store(paths.METRICS_STORE) as connection:
        if not decisions.take(connection, alarm):
            raise NotDecidedError(f"no training {alarm} waits to be started: nothing is trained")
    try:
        version = start_training(cause)
        models.tag(version, "alarm", alarm)
        result = deliver(version)
    except Exception as error:
        _conclude(alarm, Status.REFUSED if isinstance(error, RefusedError) else Status.FAILED, str(error))
        raise
    _conclude(alarm, Status.DONE, result)
    return result


def serve() -> None:
    """Wait for alarms: an automation of the orchestration server starts the flow on each event."""
    retraining.serve(name="retraining", triggers=[trigger()], limit=1, print_starting_message=False)


def trigger() -> DeploymentEventTrigger:
    """Return what starts the flow."""
    return DeploymentEventTrigger(
        name=AUTOMATION,
        expect={EVENT},
        parameters={"alarm": "{{ event.payload.alarm }}", "cause": "{{ event.payload.cause }}"},
    )


def wait_for_automation() -> None:
    """Wait until the automation exists; an event before that starts nothing.

    Raises:
        NoServerError: it did not come up in time.
    """
    with get_client(sync_client=True) as client:
        if not wait_until(lambda: client.read_automations_by_name(AUTOMATION), SECONDS):
            raise NoServerError("no automation reacts to alarms: see the logs of `pipeline`")


def request(decision: Record) -> Record:
    """Emit the event of an alarm, wait until what it started has ended, and return the concluded decision.

    An event that nobody hears is emitted again; only one of them starts a training.

    Raises:
        StageError: no training began, or none ended in time.
    """
    try:
        with handed_over():  # whoever trains needs what this check has found
            _wait_for_training(decision)
    except Exception as error:
        lost = f"{error}: see the logs of `pipeline`; the next alarm asks again"
        _conclude(decision.id, Status.LOST, lost)  # unless its training ends later
        raise StageError(f"alarm {decision.id}: {lost}") from error
    return _read(decision.id)


def _wait_for_training(decision: Record) -> None:
    wait_for_automation()
    if not any(_starts(decision) for _ in range(ASKS)):
        raise StageError(f"no training began within {SECONDS_TO_START:.0f} s, asked {ASKS} times")
    wait_until(lambda: _read(decision.id).status is not Status.RUNNING or _is_dead(decision.id), SECONDS)
    if _read(decision.id).status is Status.RUNNING:
        raise StageError("its training was killed, or takes too long")


def _starts(decision: Record) -> bool:
    """Emit the event, and tell whether its training has begun in time."""
    emit_event(
        EVENT,
        resource={"prefect.resource.id": f"{NAME}.alarm.{decision.id}"},
        payload={"alarm": decision.id, "cause": decision.cause},
    )
    return wait_until(lambda: _read(decision.id).status is not Status.OPEN, SECONDS_TO_START)


def _is_dead(alarm: str) -> bool:
    """Tell whether the orchestration server knows that the training of an alarm will never end."""
    named = FlowRunFilter(name=FlowRunFilterName(any_=[alarm]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=named)
    return bool(runs) and all(run.state_type in DEAD for run in runs)


def _read(decision_id: str) -> Record:
    with store.open_store(paths.METRICS_STORE) as connection:
        return next(decision for decision in decisions.read(connection) if decision.id == decision_id)


def _conclude(decision_id: str, status: Status, result: str) -> None:
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions.conclude(connection, decision_id, status, result)
