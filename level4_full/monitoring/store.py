"""The metrics store: what was measured, by day, model, metric and slice, and what was decided."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pandas as pd

from ..config import database
from ..config.database import Address, Database, is_server
from .alarm import Cause

SCHEMA = """
CREATE TABLE IF NOT EXISTS metrics (
  day TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, slice TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (day, model, name, slice)
);
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT PRIMARY KEY,             -- on everything that follows from it, from the alarm to the release
  day TEXT NOT NULL,
  action TEXT NOT NULL,
  cause TEXT NOT NULL,
  policy TEXT NOT NULL,            -- SHA-256 of the policy that decided
  evidence TEXT NOT NULL,          -- JSON
  status TEXT NOT NULL,
  result TEXT NOT NULL             -- for people
);
CREATE TABLE IF NOT EXISTS decision_changes (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,                -- UTC
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT NOT NULL
);
"""
# Of a file from before this could be a server: triggers kept the changes, in a table without numbers.
TAKE_OVER = (
    "INSERT INTO decision_changes (at, id, status, result) "
    "SELECT at, id, status, result FROM changes ORDER BY rowid",
    "DROP TRIGGER taken",
    "DROP TRIGGER changed",
    "DROP TABLE changes",
)
COLUMNS = ("id", "day", "action", "cause", "policy", "evidence", "status", "result")  # of a decision
REPLACE = f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"
ALL = ""  # the slice that holds every flight


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


@contextmanager
def open_store(address: Address) -> Iterator[Database]:
    """Open the store, making it on first use."""
    with closing(database.connect(address)) as store:
        store.make(SCHEMA)
        if not is_server(address) and _has_triggers(store):
            with store.transaction():
                store.execute("BEGIN IMMEDIATE")  # another process may be doing the same
                for statement in TAKE_OVER if _has_triggers(store) else ():
                    store.execute(statement)
        yield store


def _has_triggers(store: Database) -> bool:
    return bool(store.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name = 'taken'"))


def write(store: Database, day: str, model: str, values: Mapping[tuple[str, str], float]) -> None:
    """Keep the metrics of a day, by (name, slice); measured again, as for late outcomes, they replace the old."""
    rows = [(day, model, name, slice_, value) for (name, slice_), value in values.items() if pd.notna(value)]
    with store.transaction():
        store.executemany(
            "INSERT INTO metrics VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (day, model, name, slice) DO UPDATE SET value = excluded.value",
            rows,
        )


def read(store: Database, model: str, first: str, last: str) -> pd.DataFrame:
    """Return the metrics of a model over all flights, one column each, one row per day from `first` to `last`."""
    query = "SELECT day, name, value FROM metrics WHERE model = ? AND slice = ? AND day BETWEEN ? AND ?"
    rows = store.rows(query, [model, ALL, first, last])
    return pd.DataFrame(rows, columns=["day", "name", "value"]).pivot(index="day", columns="name", values="value")


def by_slice(store: Database, model: str, day: str, name: str) -> dict[str, float]:
    """Return one metric of a model on a day, by slice."""
    query = "SELECT slice, value FROM metrics WHERE model = ? AND day = ? AND name = ?"
    return {row["slice"]: row["value"] for row in store.rows(query, [model, day, name])}


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


def decisions(store: Database) -> list[Record]:
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
