"""Act: a decision is recorded, then carried out, and in the end so is what came of it."""

from ..config import paths
from ..config.policy import Policy
from ..errors import StageError
from ..events import Event, Kind
from . import decisions, guards, issues, notify, retraining, store
from .alarm import Alarm, Cause
from .decide import Decision
from .decisions import Action, Record, Status


def act(day: str, decision: Decision, policy: Policy) -> list[Event]:
    """Record a decision, carry it out, and record the outcome."""
    alarm = decision.alarm
    if decision.action is Action.NOTHING or alarm is None:
        return []
    identity = f"{day}-{alarm.cause.replace(' ', '-')}"
    record = Record(identity, day, decision.action, alarm.cause, policy.sha256, alarm.evidence)
    with store.open_store(paths.METRICS_STORE) as connection:
        past = decisions.read(connection)
        decisions.record(connection, record)
    facts = {"id": identity, "cause": alarm.cause, "evidence": alarm.evidence}
    if decision.action is Action.REFIT:
        gain = "a refit gains too little: the champion stays"
        _conclude(identity, gain)
        kind = Kind.REFIT if alarm.cause is Cause.SCHEDULE else Kind.ALARM
        return [Event(kind, f"{alarm}: {gain}", facts)]
    if decision.action is Action.RETRAIN:
        try:
            concluded = retraining.request(record)
        except StageError as error:  # the watch goes on, and calibrates: an alarm that was lost is raised again
            return [Event(Kind.FAILED, str(error), facts)]
        return [Event(Kind.ALARM, f"ALARM {alarm}: {concluded.result}", facts | {"status": concluded.status})]
    if decision.action is Action.HOLD:
        return [Event(Kind.HELD, f"HOLD {alarm}: {_hold(record, alarm, past)}", facts)]
    result = resume(str(alarm), alarm.evidence["hold"])
    _conclude(identity, result)
    return [Event(Kind.RESUMED, f"RESUMED {result}", facts)]


def _conclude(identity: str, result: str) -> None:
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions.conclude(connection, identity, Status.DONE, result)


def _hold(hold: Record, alarm: Alarm, past: list[Record]) -> str:
    """Write an issue about a hold; return a line about it for people."""
    try:
        path = issues.write(paths.ISSUES, hold, alarm, past)
    except OSError as error:  # it is held all the same
        return f"no training until the cause is gone; no issue could be written, {error}"
    notify.put(paths.OUTBOX, hold.id, path.read_text())
    return f"no training until the cause is gone, see {path.name}"


def resume(why: str, hold_id: str | None = None) -> str:
    """End an open hold, or all of them: trainings may start again."""
    with store.open_store(paths.METRICS_STORE) as connection:
        holds = guards.open_holds(decisions.read(connection))
        holds = [hold for hold in holds if hold_id in (None, hold.id)]
        for hold in holds:
            decisions.conclude(connection, hold.id, Status.DONE, f"ended: {why}")
    for hold in holds:
        (paths.ISSUES / f"{hold.id}.md").unlink(missing_ok=True)
    return f"{len(holds)} issues ended" if holds else "no issue is open"
