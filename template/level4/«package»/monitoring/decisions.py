"""What was decided and what has become of it, in the metrics store, with each change and its time."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ..config.database import Database
from .alarm import Cause

COLUMNS = ("id", "day", "action", "cause", "policy", "evidence", "status", "result")
REPLACE = f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"


class Action(StrEnum):
    """What a decision does."""

    NOTHING = "nothing"
    REFIT = "refit in the shadow"
    RETRAIN = "retrain"
    HOLD = "hold"
    RESUME = "resume"


class Status(StrEnum):
    """What has become of a decision."""

    OPEN = "open"  # nobody has heard of it yet, or its hold lasts
    RUNNING = "running"  # its training
    DONE = "done"
    REFUSED = "refused"  # its training or the model was refused
    FAILED = "failed"
    LOST = (
        "lost"  # nobody heard of it, or who trained was killed: no training failed, and none has to be waited for
    )


@dataclass(frozen=True)
class Record:
    """A decision that was taken, and what has become of it."""

    id: str
    day: str
    action: Action
    cause: Cause
    policy: str
    evidence: dict[str, Any]
    status: Status = Status.OPEN
    result: str = ""


def record(store: Database, decision: Record) -> None:
    """Record a decision; one of the same id is replaced."""
    with store.transaction():
        store.execute(
            f"INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?) {REPLACE}",  # noqa: S608 - of our own names
            [
                decision.id,
                decision.day,
                decision.action,
                decision.cause,
                decision.policy,
                json.dumps(_plain(decision.evidence), allow_nan=False),
                decision.status,
                decision.result,
            ],
        )
        _keep_change(store, decision.id)


def _keep_change(store: Database, decision_id: str) -> None:
    """Keep what has become of a decision now, in the transaction that changes it."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    facts = "SELECT ?, id, status, result FROM decisions WHERE id = ?"
    store.execute(f"INSERT INTO decision_changes (at, id, status, result) {facts}", [now, decision_id])


def _plain(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence as JSON knows it, where no number is none."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in evidence.items()
    }


def conclude(store: Database, decision_id: str, status: Status, result: str) -> None:
    """Record what has become of a decision."""
    with store.transaction():
        store.execute("UPDATE decisions SET status = ?, result = ? WHERE id = ?", [status, result, decision_id])
        _keep_change(store, decision_id)


def take(store: Database, decision_id: str) -> bool:
    """Mark an open decision as running, unless somebody has done that before; tell whether it was done."""
    query = "UPDATE decisions SET status = ? WHERE id = ? AND status = ? AND action = ?"
    with store.transaction():
        taken = store.execute(query, [Status.RUNNING, decision_id, Status.OPEN, Action.RETRAIN])
        if taken:
            _keep_change(store, decision_id)
    return taken == 1


def changes(store: Database) -> list[dict[str, Any]]:
    """Return what became of decisions and when (UTC), oldest first."""
    facts = "day, action, cause, at, id, changes.status, changes.result"
    query = f"SELECT {facts} FROM decision_changes AS changes JOIN decisions USING (id) ORDER BY number"  # noqa: S608
    return store.rows(query)


def read(store: Database) -> list[Record]:
    """Return all decisions, oldest first."""
    rows = store.rows("SELECT * FROM decisions ORDER BY day, id")
    return [
        Record(
            **row
            | {
                "action": Action(row["action"]),
                "cause": Cause(row["cause"]),
                "evidence": json.loads(row["evidence"]),
                "status": Status(row["status"]),
            }
        )
        for row in rows
    ]
